//! The nodes of a group.

use crate::world::{World, after};
use greenroom_model::Desired;
use greenroom_store::{NewSlots, PageRequest};

pub async fn nodes_are_paged_in_the_order_in_which_they_came(w: World) {
    let spec = w.spec("office");
    let slots = NewSlots::new(3, 2, Desired::Running, Vec::new(), &w.random);
    let expected = slots.nodes.clone();
    w.store
        .create_group(spec.clone(), slots, Vec::new(), None, |_| true)
        .await
        .unwrap();
    let page = async |account, number| {
        let page = PageRequest { number, size: 2 };
        w.store.page_nodes(account, &spec.id, page).await.unwrap()
    };
    let (first, second) = (page(&w.acme, 1).await, page(&w.acme, 2).await);
    assert_eq!((first.total, second.total), (3, 3));
    let listed = [first.items, second.items].concat();
    assert!(listed.iter().all(|node| !node.elastic));
    let listed: Vec<_> = listed.into_iter().map(|node| node.id).collect();
    assert_eq!(listed, expected);
    assert_eq!(page(&w.globex, 1).await.total, 0, "not another account's");

    w.store
        .delete_group(&w.acme, &spec.id, None, after(1))
        .await
        .unwrap();
    assert_eq!(page(&w.acme, 1).await.items, []);
}
