//! Pages by marker: RAM's lists do not count pages, each says where the next one begins.

use super::fields::{Marker, MaxItems};
use serde::Serialize;

/// Where a list goes on, as every paged answer says it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct More {
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// At most `most` of the items that come after `marker`, in the order of their names. The marker is the name
/// of the last item: what is made or deleted between two pages shifts neither.
pub fn after<T>(
    items: Vec<T>,
    name: impl Fn(&T) -> String,
    marker: Option<&Marker>,
    most: MaxItems,
) -> (Vec<T>, More) {
    let most = most.as_u32() as usize;
    let is_after = |item: &T| marker.is_none_or(|marker| name(item).as_str() > marker.as_str());
    let mut page: Vec<T> = items
        .into_iter()
        .filter(is_after)
        // One more than asked for tells whether there is more.
        .take(most + 1)
        .collect();
    let is_truncated = page.len() > most;
    page.truncate(most);
    let marker = page.last().filter(|_| is_truncated).map(&name);
    let more = More {
        is_truncated,
        marker,
    };
    (page, more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn page(marker: Option<&str>, most: i64) -> (Vec<&'static str>, Option<String>) {
        let items = vec!["a", "b", "c", "d"];
        let marker = marker.map(|marker| from_value(json!(marker)).unwrap());
        let (page, more) = after(
            items,
            |item| (*item).to_owned(),
            marker.as_ref(),
            MaxItems::of(most),
        );
        assert_eq!(more.is_truncated, more.marker.is_some());
        (page, more.marker)
    }

    #[test]
    fn pages_joined_at_their_markers_are_the_whole_list() {
        assert_eq!(page(None, 3), (vec!["a", "b", "c"], Some("c".to_owned())));
        assert_eq!(page(Some("c"), 3), (vec!["d"], None));
        assert_eq!(page(None, 4), (vec!["a", "b", "c", "d"], None));
        // The item that the marker names may be gone meanwhile.
        assert_eq!(page(Some("bb"), 1), (vec!["c"], Some("c".to_owned())));
        assert_eq!(page(Some("z"), 1), (vec![], None));
    }
}
