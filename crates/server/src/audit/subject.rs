//! What a call is about, as its row says it: the ids and names that the request gives, and no other text.

use greenroom_rpc::Params;

/// Parameters that name something, alone or as lists.
const NAMING: &[&str] = &[
    "AppId",
    "AppInstanceGroupId",
    "AppInstanceGroupIdList",
    "AppInstanceIds",
    "AppInstancePersistentId",
    "AppInstancePersistentIds",
    "AppPolicyId",
    "AuthorizeUserIds",
    "BrowserInstanceGroupId",
    "EndUserId",
    "GroupName",
    "ImageId",
    "NodePoolId",
    "PolicyName",
    "PoolId",
    "ResourceId",
    "ResourceIds",
    "RoleArn",
    "RoleName",
    "ServerId",
    "SubInstanceId",
    "TaskId",
    "UnAuthorizeUserIds",
    "UserAccessKeyId",
    "UserName",
    "VersionId",
];

/// The most characters of a subject: about ten sessions.
const LONGEST: usize = 500;

/// The longest id or name.
const LONGEST_NAME: usize = 128;

/// `AppInstanceGroupId=aig-1 AuthorizeUserIds=alice`, as far as there is room.
pub fn of(params: &Params) -> String {
    let mut subject = String::new();
    for (name, value) in params.iter() {
        let (name, rest) = name.split_once('.').unwrap_or((name, "0"));
        // `Name.1`, and nothing below it.
        if !NAMING.contains(&name) || rest.parse::<u32>().is_err() {
            continue;
        }
        for value in values(value) {
            if is_name(&value) && subject.len() + name.len() + value.len() + 2 <= LONGEST {
                let space = if subject.is_empty() { "" } else { " " };
                subject.push_str(&format!("{space}{name}={value}"));
            }
        }
    }
    subject
}

/// The texts of a list in JSON, or the one text.
fn values(text: &str) -> Vec<String> {
    match serde_json::from_str(text) {
        Ok(list) => list,
        Err(_) => vec![text.to_owned()],
    }
}

/// Whether the text has the form of an id, a name or an ARN. What people write has spaces and other signs.
fn is_name(text: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || b"-._@:/".contains(&b);
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(params: &[(&str, &str)]) -> String {
        of(&params.iter().copied().collect())
    }

    #[test]
    fn what_is_named_is_said_and_what_is_written_is_not() {
        let said = subject(&[
            ("AppInstanceGroupId", "aig-1"),
            ("AppInstanceGroupName", "our office"),
            ("AuthorizeUserIds.1", "alice"),
            ("AuthorizeUserIds.2", "bob@example.com"),
            ("ResourceIds", r#"["aig-2","aig-3"]"#),
            ("NodePool.NodePoolId", "rg-1"),
            ("PoolId", "rg-2"),
            ("UserName.x", "max"),
            ("RoleName", "two words"),
            ("PolicyDocument", "{}"),
            ("Password", "secret"),
        ]);
        assert_eq!(
            said,
            "AppInstanceGroupId=aig-1 AuthorizeUserIds=alice AuthorizeUserIds=bob@example.com \
             PoolId=rg-2 ResourceIds=aig-2 ResourceIds=aig-3"
        );
    }

    #[test]
    fn a_long_list_is_said_as_far_as_there_is_room() {
        let ids: Vec<(String, String)> = (0..100)
            .map(|n| {
                (
                    format!("AppInstancePersistentIds.{n}"),
                    format!("p-{n:017}"),
                )
            })
            .collect();
        let said = of(&ids.into_iter().collect());
        assert!((400..=LONGEST).contains(&said.len()), "{said}");
        assert_eq!(subject(&[("UserName", &"x".repeat(129))]), "");
        assert_eq!(subject(&[("UserName", "")]), "");
    }
}
