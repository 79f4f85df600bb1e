//! Answers as the vendor's gateway sends them.

mod xml;

use crate::fault::Fault;
use crate::request::Format;
use serde_json::{Map, Value};

/// Exactly as the vendor spells them: an official client compares the XML one letter by letter.
const JSON: &str = "application/json;charset=utf-8";
const XML: &str = "text/xml;charset=utf-8";

/// An answer, ready for HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Further headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    fn new(
        format: Format,
        status: u16,
        root: &str,
        request_id: &str,
        body: Map<String, Value>,
    ) -> Self {
        let (content_type, body) = match format {
            Format::Json => (JSON, Value::Object(body).to_string()),
            Format::Xml => (XML, xml::document(root, &body)),
        };
        Self {
            status,
            content_type,
            headers: vec![("x-acs-request-id", request_id.to_owned())],
            body,
        }
    }
}

/// The answer of an operation that did what it was asked: its own `fields` and the `RequestId`.
#[must_use]
pub fn success(
    format: Format,
    action: &str,
    request_id: &str,
    fields: Map<String, Value>,
) -> Reply {
    let mut body = fields;
    body.insert("RequestId".into(), request_id.into());
    Reply::new(format, 200, &format!("{action}Response"), request_id, body)
}

/// The answer to a call that was refused or failed. `host_id` is the host the request was sent to.
#[must_use]
pub fn failure(format: Format, request_id: &str, host_id: &str, fault: &Fault) -> Reply {
    let mut body = Map::new();
    body.insert("RequestId".into(), request_id.into());
    body.insert("HostId".into(), host_id.into());
    body.insert("Code".into(), fault.code.as_str().into());
    body.insert("Message".into(), fault.message.as_str().into());
    if let Some(detail) = &fault.access_denied_detail {
        body.insert("AccessDeniedDetail".into(), Value::clone(detail));
    }
    let mut reply = Reply::new(format, fault.status, "Error", request_id, body);
    if let Some(ms) = fault.retry_after_ms {
        // Clients take a positive number only.
        reply
            .headers
            .push(("x-acs-retry-after", ms.max(1).to_string()));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "4C467B38-3910-447D-87BC-AC049166F216";

    fn fields(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn a_success_carries_its_fields_and_the_request_id() {
        let reply = success(
            Format::Json,
            "ListThings",
            ID,
            fields(json!({"TotalCount": 1, "Things": [{"Name": "办公"}]})),
        );
        assert_eq!((reply.status, reply.content_type), (200, JSON));
        assert_eq!(
            reply.body,
            format!(r#"{{"TotalCount":1,"Things":[{{"Name":"办公"}}],"RequestId":"{ID}"}}"#)
        );
        assert_eq!(reply.headers, [("x-acs-request-id", ID.to_owned())]);
    }

    #[test]
    fn xml_repeats_an_element_for_each_item_of_a_list() {
        let reply = success(
            Format::Xml,
            "ListThings",
            ID,
            fields(
                json!({"Things": [{"Name": "a<b>&\u{1}"}, {"Name": null}], "Ids": ["x", "y"], "Ok": true, "None": []}),
            ),
        );
        assert_eq!(reply.content_type, "text/xml;charset=utf-8");
        assert_eq!(
            reply.body,
            format!(
                "<?xml version='1.0' encoding='UTF-8'?><ListThingsResponse>\
                 <Things><Name>a&lt;b&gt;&amp;\u{fffd}</Name></Things><Things></Things>\
                 <Ids>x</Ids><Ids>y</Ids><Ok>true</Ok>\
                 <RequestId>{ID}</RequestId></ListThingsResponse>"
            )
        );
    }

    #[test]
    fn a_failure_names_the_request_the_host_and_the_fault() {
        let fault = Fault::throttled_user(0);
        let reply = failure(Format::Json, ID, "127.0.0.1:8080", &fault);
        assert_eq!((reply.status, reply.content_type), (400, JSON));
        assert_eq!(
            reply.body,
            format!(
                r#"{{"RequestId":"{ID}","HostId":"127.0.0.1:8080","Code":"Throttling.User","Message":"Request was denied due to user flow control."}}"#
            )
        );
        assert!(reply.headers.contains(&("x-acs-retry-after", "1".into())));
    }

    #[test]
    fn a_denial_says_what_was_denied() {
        let fault = Fault::no_permission()
            .access_denied_detail(json!({"NoPermissionType": "ImplicitDeny"}));
        let json = failure(Format::Json, ID, "h", &fault);
        assert_eq!(json.status, 403);
        let body: Value = serde_json::from_str(&json.body).expect("JSON");
        assert_eq!(
            body["AccessDeniedDetail"]["NoPermissionType"],
            "ImplicitDeny"
        );
        let xml = failure(Format::Xml, ID, "h", &fault);
        assert!(xml.body.starts_with(&format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>{ID}</RequestId><HostId>h</HostId><Code>NoPermission</Code>"
        )));
        assert!(xml.body.contains(
            "<AccessDeniedDetail><NoPermissionType>ImplicitDeny</NoPermissionType></AccessDeniedDetail></Error>"
        ));
    }
}
