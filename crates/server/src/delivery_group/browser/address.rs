//! Elements of `RestrictedURLs`, as Chromium's filters of addresses are written.

/// The filter for the web addresses that an element stands for: a host with all below it, with or without a scheme,
/// a port and the beginning of a path. `None` when it stands for none; a filter for anything but the web, such as
/// the files of the machine, is none either.
pub(super) fn filter(text: &str) -> Option<String> {
    let (scheme, rest) = match text.split_once("://") {
        None => ("", text),
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some(_) => return None,
    };
    let rest = rest.strip_prefix("*.").unwrap_or(rest);
    // A filter's path is a beginning as it is.
    let rest = match rest.split_once('/') {
        Some(_) => rest.strip_suffix('*').unwrap_or(rest),
        None => rest,
    };
    let host_and_port = rest.split_once('/').map_or(rest, |(host, _)| host);
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '*';
    if !is_host(host_and_port) || !rest.chars().all(is_plain) {
        return None;
    }
    Some(match scheme {
        "" => rest.to_owned(),
        scheme => format!("{scheme}://{rest}"),
    })
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // An address of version 6 stands in brackets, and has colons of its own.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_name = |c: char| c.is_alphanumeric() || "-._".contains(c);
    let is_host = match in_brackets {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        // A dot before a host would leave out what is below it.
        None => !host.is_empty() && !host.starts_with('.') && host.chars().all(is_name),
    };
    is_host && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_for_web_addresses_becomes_a_filter() {
        for (text, expected) in [
            ("example.com", Some("example.com")),
            ("*.example.com", Some("example.com")),
            ("https://example.com", Some("https://example.com")),
            ("http://*.example.com/a/*", Some("http://example.com/a/")),
            (
                "example.com:8443/path?q=1",
                Some("example.com:8443/path?q=1"),
            ),
            ("127.0.0.1:80", Some("127.0.0.1:80")),
            ("[::1]:80", Some("[::1]:80")),
            ("例子.中国", Some("例子.中国")),
            ("*", None),
            ("", None),
            ("https://", None),
            ("https:///etc", None),
            ("file:///etc/passwd", None),
            ("chrome://flags", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("view-source:https://a.example", None),
            ("exam*ple.com", None),
            (".example.com", None),
            ("a b.example", None),
            ("user@example.com", None),
            ("example.com:0", None),
            ("example.com:99999", None),
            ("example.com/a*b", None),
        ] {
            assert_eq!(filter(text).as_deref(), expected, "{text}");
        }
    }
}
