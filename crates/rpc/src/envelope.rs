//! Answers as the vendor's gateway sends them.

mod xml;

use crate::fault::Fault;
use crate::request::Format;
use serde::Serialize;
use serde::ser::Error as _;
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
    fn new(format: Format, status: u16, request_id: &str, body: String) -> Self {
        Self {
            status,
            content_type: match format {
                Format::Json => JSON,
                Format::Xml => XML,
            },
            headers: vec![("x-acs-request-id", request_id.to_owned())],
            body,
        }
    }
}

/// The answer of an operation that did what it was asked: its own `fields`, which have to be an object, and
/// the `RequestId`.
///
/// # Errors
/// The fields are something else, or cannot be written.
pub fn success(
    format: Format,
    action: &str,
    request_id: &str,
    fields: &impl Serialize,
) -> Result<Reply, serde_json::Error> {
    let body = match format {
        // Written once, as it goes out: a listing is most of what its call costs.
        Format::Json => {
            let mut text = serde_json::to_string(fields)?;
            match text.pop() {
                Some('}') if text.len() > 1 => text.push(','),
                Some('}') => {}
                _ => return Err(serde_json::Error::custom("not an object")),
            }
            text.push_str("\"RequestId\":");
            text.push_str(&serde_json::to_string(request_id)?);
            text.push('}');
            text
        }
        Format::Xml => {
            let Value::Object(mut body) = serde_json::to_value(fields)? else {
                return Err(serde_json::Error::custom("not an object"));
            };
            body.insert("RequestId".into(), request_id.into());
            xml::document(&format!("{action}Response"), &body)
        }
    };
    Ok(Reply::new(format, 200, request_id, body))
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
    let body = match format {
        Format::Json => Value::Object(body).to_string(),
        Format::Xml => xml::document("Error", &body),
    };
    let mut reply = Reply::new(format, fault.status, request_id, body);
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

    fn answer(format: Format, fields: &Value) -> Reply {
        success(format, "ListThings", ID, fields).expect("an object")
    }

    #[test]
    fn a_success_carries_its_fields_and_the_request_id() {
        let fields = json!({"TotalCount": 1, "Things": [{"Name": "办公"}]});
        let reply = answer(Format::Json, &fields);
        assert_eq!((reply.status, reply.content_type), (200, JSON));
        assert_eq!(
            reply.body,
            format!(r#"{{"TotalCount":1,"Things":[{{"Name":"办公"}}],"RequestId":"{ID}"}}"#)
        );
        assert_eq!(reply.headers, [("x-acs-request-id", ID.to_owned())]);
    }

    #[test]
    fn an_answer_without_fields_is_its_request_id_and_what_is_no_object_is_no_answer() {
        let reply = answer(Format::Json, &json!({}));
        assert_eq!(reply.body, format!(r#"{{"RequestId":"{ID}"}}"#));
        for format in [Format::Json, Format::Xml] {
            for fields in [json!([]), json!("}"), json!(1), json!(null)] {
                assert!(success(format, "ListThings", ID, &fields).is_err());
            }
        }
    }

    #[test]
    fn xml_repeats_an_element_for_each_item_of_a_list() {
        let fields = json!({"Things": [{"Name": "a<b>&\u{1}"}, {"Name": null}], "Ids": ["x", "y"], "Ok": true, "None": []});
        let reply = answer(Format::Xml, &fields);
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
