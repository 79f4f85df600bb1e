//! One list of cases, run over every database the store can be kept in.
//!
//! A case takes a fresh [`World`]; what only a database on disk can show is in [`durability`].

#![allow(
    clippy::unwrap_used,
    reason = "a case that cannot go on has failed; the lint only knows functions that are tests themselves"
)]

mod accounts;
mod bindings;
mod durability;
mod groups;
mod paging;
mod reconcile;
mod tickets;
mod world;

/// Runs each case on SQLite on disk and in memory.
macro_rules! suite {
    ($($module:ident: $($case:ident)*;)*) => {
        mod sqlite_on_disk {
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let file = crate::world::Folder::new();
                    let store = greenroom_store::Store::open(&file.database()).unwrap();
                    crate::$module::$case(crate::world::World::new(store).await).await;
                }
            )*)*
        }
        mod sqlite_in_memory {
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let store = greenroom_store::Store::in_memory().unwrap();
                    crate::$module::$case(crate::world::World::new(store).await).await;
                }
            )*)*
        }
    };
}

suite! {
    accounts:
        the_root_account_is_made_once
        of_two_first_starts_one_wins
        a_rotated_root_key_replaces_the_old_one
        an_access_key_names_its_account_and_keeps_its_secret
        a_key_id_is_never_taken_over;
    groups:
        a_group_is_made_whole_and_reads_back
        without_room_nothing_is_made
        of_two_groups_that_want_the_last_node_one_is_made
        a_taken_id_makes_nothing
        a_replayed_nonce_changes_nothing
        another_accounts_group_looks_absent
        a_listing_filters_and_pages_oldest_first
        a_group_asked_to_go_is_not_found_and_its_sessions_are_to_go
        users_are_granted_and_lose_a_group;
    paging:
        pages_agree_with_a_naive_model_while_sessions_go
        a_page_past_the_end_is_empty_with_the_same_total
        a_filter_by_ids_ignores_duplicates_and_strangers
        sessions_of_another_account_type_or_ended_group_look_absent
        authorized_users_are_sorted_bytewise
        sessions_are_named_by_number_in_the_order_of_their_listing;
    tickets:
        a_task_gives_the_user_one_binding_and_starts_what_is_stopped
        a_task_for_a_session_of_another_account_or_group_is_refused
        a_task_ends_once
        of_two_viewers_with_one_ticket_one_is_let_in
        a_ticket_that_is_spent_late_or_invented_is_told_apart
        a_ticket_shown_too_early_is_not_spent
        a_resume_token_stays_good_until_the_binding_ends
        what_has_ended_long_ago_is_purged
        whoever_lost_the_grant_comes_in_unauthorized
        a_group_that_checks_nobody_authorizes_everybody;
    bindings:
        the_session_timeout_counts_from_the_last_viewers_leaving
        a_timeout_of_minus_one_never_ends_a_binding
        a_binding_nobody_came_to_runs_out
        a_server_that_starts_finds_nobody_connected
        an_ended_binding_stays_ended;
    reconcile:
        a_new_session_is_due_and_an_observed_one_is_not
        an_observation_of_an_older_generation_is_refused
        intent_written_meanwhile_fences_the_observer
        a_wake_up_survives_an_observation_made_before_it
        only_what_runs_is_to_be_adopted
        a_session_to_be_deleted_takes_no_other_wish
        a_deleted_session_loses_what_led_to_it
        settling_groups_count_their_sessions
        a_deleted_group_is_purged_without_a_trace
        serials_are_never_given_twice;
}
