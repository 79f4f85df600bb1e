//! Users, groups, roles, policies and who has which.

use crate::world::{START, World, after};
use greenroom_model::AccountId;
use greenroom_store::{
    Holder, IdentityError, NewPolicy, NewRole, NewUser, Nonce, PolicyName, RoleChange, SealingKey,
    Secret, StoreError, Thing, UserChange,
};
use std::sync::Arc;

const DOCUMENT: &str = "{}";

async fn add_user(w: &World, account: &AccountId, name: &str) -> Result<String, StoreError> {
    let new = NewUser {
        id: format!("{account}-{name}"),
        name: name.to_owned(),
        comments: "made by a case".to_owned(),
        ..NewUser::default()
    };
    let made = w.store.create_ram_user(account, new, None, START).await?;
    Ok(made.made.id)
}

async fn add_group(w: &World, name: &str) -> Result<(), StoreError> {
    let (id, name) = (format!("g-{name}"), name.to_owned());
    let made = w
        .store
        .create_ram_group(&w.acme, id, name, String::new(), None, START);
    made.await.map(drop)
}

async fn add_role(w: &World, id: &str, name: &str) -> Result<(), StoreError> {
    let new = NewRole {
        id: id.to_owned(),
        name: name.to_owned(),
        description: "for cases".to_owned(),
        trust_policy: DOCUMENT.to_owned(),
        max_session_seconds: 3_600,
    };
    let made = w.store.create_ram_role(&w.acme, new, None, START);
    made.await.map(drop)
}

async fn add_policy(w: &World, name: &str, document: &str) -> Result<(), StoreError> {
    let new = NewPolicy {
        name: name.to_owned(),
        description: "for cases".to_owned(),
        document: document.to_owned(),
    };
    let made = w.store.create_ram_policy(&w.acme, new, None, START);
    made.await.map(drop)
}

async fn add_key(w: &World, user: &str, key: &str) -> Result<(), StoreError> {
    let (key, secret) = (key.to_owned(), Secret::new("users-secret"));
    let made = w
        .store
        .create_ram_user_key(&w.acme, user, key, secret, None, START);
    made.await.map(drop)
}

async fn attach(w: &World, policy: PolicyName, holder: Holder) -> Result<(), StoreError> {
    let attached = w
        .store
        .attach_ram_policy(&w.acme, policy, holder, None, START);
    attached.await
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, StoreError>, why: IdentityError) {
    match answer {
        Err(StoreError::Identity(found)) => assert_eq!(found, why),
        other => panic!("{why} was expected, not {other:?}"),
    }
}

fn user(name: &str) -> Holder {
    Holder::User(name.to_owned())
}

pub async fn a_user_is_made_changed_and_deleted_under_its_name(w: World) {
    add_user(&w, &w.acme, "bob").await.unwrap();
    let id = add_user(&w, &w.acme, "alice").await.unwrap();
    refused(
        add_user(&w, &w.acme, "alice").await,
        IdentityError::Exists(Thing::User),
    );
    let names = async || {
        let users = w.store.ram_users(&w.acme).await.unwrap();
        let name = |user: greenroom_store::RamUser| user.made.name;
        users.into_iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["alice", "bob"]);

    let change = UserChange {
        name: Some("carol".to_owned()),
        email: Some("carol@example.com".to_owned()),
        ..UserChange::default()
    };
    let update = |name: &'static str, change: UserChange| {
        w.store
            .update_ram_user(&w.acme, name, change, None, after(1))
    };
    let changed = update("alice", change.clone()).await.unwrap();
    let kept = w.store.ram_user(&w.acme, "carol").await.unwrap();
    assert_eq!(kept.as_ref(), Some(&changed));
    assert_eq!(w.store.ram_user_by_id(&w.acme, &id).await.unwrap(), kept);
    assert_eq!(changed.made.comments, "made by a case");
    assert_eq!((changed.created, changed.updated), (START, after(1)));
    refused(
        update("bob", change).await,
        IdentityError::Exists(Thing::User),
    );

    let delete = |name: &'static str| w.store.delete_ram_user(&w.acme, name, None);
    delete("carol").await.unwrap();
    refused(delete("carol").await, IdentityError::Missing(Thing::User));
    assert_eq!(names().await, ["bob"]);
}

pub async fn identities_of_another_account_look_absent(w: World) {
    add_user(&w, &w.acme, "alice").await.unwrap();
    add_user(&w, &w.globex, "alice").await.unwrap();
    add_user(&w, &w.acme, "bob").await.unwrap();
    add_group(&w, "staff").await.unwrap();
    add_role(&w, "r-1", "admin").await.unwrap();
    add_policy(&w, "all", DOCUMENT).await.unwrap();
    let (store, globex) = (&w.store, &w.globex);
    assert_eq!(store.ram_users(globex).await.unwrap().len(), 1);
    assert_eq!(store.ram_user(globex, "bob").await.unwrap(), None);
    assert_eq!(store.ram_groups(globex).await.unwrap(), []);
    assert_eq!(store.ram_group(globex, "staff").await.unwrap(), None);
    assert_eq!(store.ram_role(globex, "admin").await.unwrap(), None);
    assert_eq!(store.ram_policy(globex, "all").await.unwrap(), None);
    assert_eq!(
        store.ram_role_permissions(globex, "r-1").await.unwrap(),
        None
    );
    refused(
        store.delete_ram_user(globex, "bob", None).await,
        IdentityError::Missing(Thing::User),
    );
    let attached = store.attach_ram_policy(
        globex,
        PolicyName::custom("all"),
        user("alice"),
        None,
        START,
    );
    refused(attached.await, IdentityError::Missing(Thing::Policy));
}

pub async fn a_users_keys_are_two_at_most_and_name_it(w: World) {
    let id = add_user(&w, &w.acme, "alice").await.unwrap();
    add_key(&w, "alice", "one").await.unwrap();
    let taken = add_key(&w, "alice", "key-acme").await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let taken = add_key(&w, "alice", "one").await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    add_key(&w, "alice", "two").await.unwrap();
    refused(
        add_key(&w, "alice", "three").await,
        IdentityError::Full(Thing::UserAccessKey),
    );

    let found = w.store.access_key("one").await.unwrap().unwrap();
    let holder = found.user.as_ref().unwrap();
    assert_eq!(
        (holder.id.as_str(), holder.name.as_str()),
        (id.as_str(), "alice")
    );
    assert_eq!(
        (&found.account, found.active, found.secret.expose()),
        (&w.acme, true, &b"users-secret"[..])
    );
    let own = w.store.access_key("key-acme").await.unwrap().unwrap();
    assert_eq!(own.user, None);

    let off = w
        .store
        .set_ram_user_key_active(&w.acme, "alice", "one", false, None);
    off.await.unwrap();
    assert!(!w.store.access_key("one").await.unwrap().unwrap().active);
    let listed = w.store.ram_user_keys(&w.acme, "alice").await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|key| (key.id.as_str(), key.active))
        .collect();
    assert_eq!(listed, [("one", false), ("two", true)]);

    refused(
        w.store.delete_ram_user(&w.acme, "alice", None).await,
        IdentityError::Held(Thing::UserAccessKey),
    );
    let delete = |key: &'static str| w.store.delete_ram_user_key(&w.acme, "alice", key, None);
    delete("one").await.unwrap();
    refused(
        delete("one").await,
        IdentityError::Missing(Thing::UserAccessKey),
    );
    assert_eq!(w.store.access_key("one").await.unwrap(), None);
}

pub async fn a_group_holds_its_users_until_they_are_taken_out(w: World) {
    add_user(&w, &w.acme, "alice").await.unwrap();
    add_group(&w, "staff").await.unwrap();
    let add = || {
        w.store
            .add_user_to_ram_group(&w.acme, "alice", "staff", None, after(1))
    };
    add().await.unwrap();
    refused(add().await, IdentityError::Exists(Thing::UserGroup));
    let groups = w.store.ram_groups_of_user(&w.acme, "alice").await.unwrap();
    assert_eq!(
        (groups[0].it.name.as_str(), groups[0].since),
        ("staff", after(1))
    );
    let users = w.store.ram_users_of_group(&w.acme, "staff").await.unwrap();
    assert_eq!(users[0].it.made.name, "alice");
    refused(
        w.store.delete_ram_user(&w.acme, "alice", None).await,
        IdentityError::Held(Thing::UserGroup),
    );
    let delete = |name: &'static str| w.store.delete_ram_group(&w.acme, name, None);
    refused(delete("staff").await, IdentityError::Held(Thing::GroupUser));

    let new = Some("crew".to_owned());
    let renamed = w
        .store
        .update_ram_group(&w.acme, "staff", new, None, None, after(2));
    assert_eq!(renamed.await.unwrap().name, "crew");
    let remove = || {
        w.store
            .remove_user_from_ram_group(&w.acme, "alice", "crew", None)
    };
    remove().await.unwrap();
    refused(remove().await, IdentityError::Missing(Thing::UserGroup));
    delete("crew").await.unwrap();
    refused(delete("crew").await, IdentityError::Missing(Thing::Group));
}

pub async fn a_role_changes_and_goes_for_good(w: World) {
    add_role(&w, "r-1", "admin").await.unwrap();
    refused(
        add_role(&w, "r-2", "admin").await,
        IdentityError::Exists(Thing::Role),
    );
    let change = RoleChange {
        max_session_seconds: Some(7_200),
        ..RoleChange::default()
    };
    let changed = w
        .store
        .update_ram_role(&w.acme, "admin", change, None, after(1));
    let changed = changed.await.unwrap();
    assert_eq!(changed.made.max_session_seconds, 7_200);
    assert_eq!(changed.made.description, "for cases");
    let listed = w.store.ram_roles(&w.acme).await.unwrap();
    assert_eq!(listed, [changed]);

    let assumed = w.store.assumed_ram_role(&w.acme, "r-1").await.unwrap();
    assert!(assumed.as_ref().is_some_and(|it| it.account_active));
    let named = |name: &'static str| w.store.ram_role_to_assume(&w.acme, name);
    assert_eq!(named("admin").await.unwrap(), assumed);
    assert_eq!(named("r-1").await.unwrap(), None);
    w.store.disable_account(&w.acme, after(1)).await.unwrap();
    let assumed = w.store.assumed_ram_role(&w.acme, "r-1").await.unwrap();
    assert!(!assumed.unwrap().account_active);

    w.store
        .delete_ram_role(&w.acme, "admin", None)
        .await
        .unwrap();
    add_role(&w, "r-2", "admin").await.unwrap();
    assert_eq!(
        w.store.assumed_ram_role(&w.acme, "r-1").await.unwrap(),
        None
    );
}

pub async fn a_policy_has_five_versions_of_which_one_is_in_force(w: World) {
    add_policy(&w, "all", "1").await.unwrap();
    refused(
        add_policy(&w, "all", "1").await,
        IdentityError::Exists(Thing::Policy),
    );
    let add = |document: &'static str, set_default, replace| {
        let document = document.to_owned();
        w.store.create_ram_policy_version(
            &w.acme,
            "all",
            document,
            set_default,
            replace,
            None,
            after(1),
        )
    };
    assert_eq!(add("2", true, false).await.unwrap().version, 2);
    for document in ["3", "4", "5"] {
        add(document, false, false).await.unwrap();
    }
    refused(
        add("6", false, false).await,
        IdentityError::Full(Thing::PolicyVersion),
    );
    // The oldest one goes; the one in force never does.
    assert_eq!(add("6", false, true).await.unwrap().version, 6);
    assert_eq!(add("7", false, true).await.unwrap().version, 7);
    let versions = async || {
        let kept = w.store.ram_policy_versions(&w.acme, "all").await.unwrap();
        let told = |it: greenroom_store::PolicyVersion| (it.version, it.document, it.default);
        kept.into_iter().map(told).collect::<Vec<_>>()
    };
    let expected = [
        ("2", true),
        ("4", false),
        ("5", false),
        ("6", false),
        ("7", false),
    ];
    let expected =
        expected.map(|(text, default)| (text.parse().unwrap(), text.to_owned(), default));
    assert_eq!(versions().await, expected);
    let policy = w.store.ram_policy(&w.acme, "all").await.unwrap().unwrap();
    let in_force = policy.in_force;
    assert_eq!((in_force.version, in_force.document.as_str()), (2, "2"));
    assert_eq!((in_force.default, in_force.created), (true, after(1)));

    let set = |version| {
        w.store
            .set_default_ram_policy_version(&w.acme, "all", version, None, after(2))
    };
    refused(set(3).await, IdentityError::Missing(Thing::PolicyVersion));
    set(7).await.unwrap();
    let delete = |version| {
        w.store
            .delete_ram_policy_version(&w.acme, "all", version, None)
    };
    refused(
        delete(7).await,
        IdentityError::Held(Thing::PolicyVersionDefault),
    );
    let gone = || w.store.delete_ram_policy(&w.acme, "all", false, None);
    refused(gone().await, IdentityError::Held(Thing::PolicyVersion));
    for version in [2, 4, 5, 6] {
        delete(version).await.unwrap();
    }
    attach(&w, PolicyName::custom("all"), user("alice"))
        .await
        .unwrap_err();
    gone().await.unwrap();
    refused(gone().await, IdentityError::Missing(Thing::Policy));

    add_policy(&w, "all", "1").await.unwrap();
    add("2", false, false).await.unwrap();
    let with_versions = w.store.delete_ram_policy(&w.acme, "all", true, None);
    with_versions.await.unwrap();
    add_policy(&w, "all", "again").await.unwrap();
    assert_eq!(versions().await, [(1, "again".to_owned(), true)]);
}

pub async fn what_somebody_may_is_what_they_and_their_groups_have(w: World) {
    let id = add_user(&w, &w.acme, "alice").await.unwrap();
    add_group(&w, "staff").await.unwrap();
    add_role(&w, "r-1", "admin").await.unwrap();
    add_policy(&w, "own", "own's text").await.unwrap();
    let (own, system) = (PolicyName::custom("own"), PolicyName::system("Full"));
    let staff = || Holder::Group("staff".to_owned());
    attach(&w, own.clone(), user("alice")).await.unwrap();
    refused(
        attach(&w, own.clone(), user("alice")).await,
        IdentityError::Exists(Thing::UserPolicy),
    );
    attach(&w, system.clone(), staff()).await.unwrap();
    attach(&w, system.clone(), Holder::Role("admin".to_owned()))
        .await
        .unwrap();

    let may = async || {
        let found = w.store.ram_user_permissions(&w.acme, &id).await.unwrap();
        let mut policies = found.unwrap().policies;
        policies.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        policies
    };
    let mine = (own.clone(), Some("own's text".to_owned()));
    assert_eq!(may().await, std::slice::from_ref(&mine));
    let joined = w
        .store
        .add_user_to_ram_group(&w.acme, "alice", "staff", None, START);
    joined.await.unwrap();
    assert_eq!(may().await, [(system.clone(), None), mine]);
    let role = w.store.ram_role_permissions(&w.acme, "r-1").await.unwrap();
    assert_eq!(role.unwrap().policies, [(system.clone(), None)]);

    let listed = w
        .store
        .ram_policies_of(&w.acme, user("alice"))
        .await
        .unwrap();
    assert_eq!(listed[0].policy, own);
    assert_eq!(listed[0].custom, Some(("for cases".to_owned(), 1)));
    let all = w.store.ram_policies(&w.acme).await.unwrap();
    assert_eq!(all[0].attachments, 1);
    let counted = w.store.ram_system_attachments(&w.acme).await.unwrap();
    assert_eq!(
        counted.into_iter().collect::<Vec<_>>(),
        [("Full".to_owned(), 2)]
    );
    let elsewhere = w.store.ram_system_attachments(&w.globex).await.unwrap();
    assert!(elsewhere.is_empty());
    let entities = w
        .store
        .ram_entities_of_policy(&w.acme, system.clone())
        .await;
    let entities = entities.unwrap();
    assert_eq!(
        (
            entities.users.len(),
            entities.groups.len(),
            entities.roles.len()
        ),
        (0, 1, 1)
    );

    for (answer, thing) in [
        (
            w.store.delete_ram_policy(&w.acme, "own", true, None).await,
            Thing::PolicyUser,
        ),
        (
            w.store.delete_ram_role(&w.acme, "admin", None).await,
            Thing::RolePolicy,
        ),
    ] {
        refused(answer, IdentityError::Held(thing));
    }
    let detach =
        |policy: PolicyName, holder| w.store.detach_ram_policy(&w.acme, policy, holder, None);
    detach(own.clone(), user("alice")).await.unwrap();
    refused(
        detach(own, user("alice")).await,
        IdentityError::Missing(Thing::UserPolicy),
    );
    assert_eq!(may().await, [(system, None)]);
}

pub async fn a_change_of_identities_spends_its_nonce(w: World) {
    let nonce = Nonce {
        hash: [9; 32],
        expires: after(60),
    };
    let new = |name: &str| NewUser {
        id: name.to_owned(),
        name: name.to_owned(),
        ..NewUser::default()
    };
    let make = |name: &str| {
        w.store
            .create_ram_user(&w.acme, new(name), Some(nonce.clone()), START)
    };
    make("one").await.unwrap();
    let replayed = make("two").await;
    assert!(matches!(replayed, Err(StoreError::NonceReplayed)));
    assert_eq!(w.store.ram_user(&w.acme, "two").await.unwrap(), None);
    let alone = w.store.spend_nonce(nonce).await;
    assert!(matches!(alone, Err(StoreError::NonceReplayed)));
    let fresh = Nonce {
        hash: [8; 32],
        expires: after(60),
    };
    w.store.spend_nonce(fresh.clone()).await.unwrap();
    let again = w.store.spend_nonce(fresh).await;
    assert!(matches!(again, Err(StoreError::NonceReplayed)));
}

pub async fn secrets_are_sealed_with_one_key_and_open_with_no_other(w: World) {
    let key = |byte| SealingKey::new(&[byte; 32], Arc::new(crate::world::Seeded::new(3)));
    add_user(&w, &w.acme, "alice").await.unwrap();
    add_key(&w, "alice", "before").await.unwrap();
    assert!(!w.store.is_sealed().await.unwrap());
    w.store.unlock(key(1), START).await.unwrap();
    assert!(w.store.is_sealed().await.unwrap());
    add_key(&w, "alice", "later").await.unwrap();
    for id in ["before", "later"] {
        let found = w.store.access_key(id).await.unwrap().unwrap();
        assert_eq!(found.secret.expose(), b"users-secret", "{id}");
    }
    let refused = w.store.unlock(key(2), START).await;
    assert!(matches!(refused, Err(StoreError::WrongSealingKey)));
    w.store.unlock(key(1), START).await.unwrap();
    let found = w.store.access_key("key-acme").await.unwrap().unwrap();
    assert_eq!(found.secret.expose(), b"acme");
}
