//! One list of cases, run over every database the store can be kept in.
//!
//! A case takes a fresh [`World`]; what only a database on disk can show is in
//! [`durability`], what stores that share one in [`freshness`] and [`replicas`].

#![allow(
    clippy::unwrap_used,
    reason = "a case that cannot go on has failed; the lint only knows functions that are tests themselves"
)]

mod accounts;
mod audit;
mod bindings;
mod copy;
mod durability;
mod freshness;
mod groups;
mod history;
mod identity;
mod images;
mod nodes;
mod ordinary;
mod paging;
mod reconcile;
mod removal;
mod replicas;
mod resize;
mod servers;
mod tickets;
mod unbind;
mod world;

/// Runs each case on SQLite on disk and in memory, and on PostgreSQL.
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
        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let url = greenroom_testkit::postgres::database().parse().unwrap();
                    let store = greenroom_store::Store::open_url(&url).unwrap();
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
    audit:
        a_call_is_recorded_with_its_first_change_and_once
        changes_at_once_are_one_chain
        an_account_reads_its_own_rows_the_latest_first
        what_is_no_accounts_is_the_root_accounts
        texts_of_rows_are_bounded_and_plain
        old_rows_go_and_the_rest_still_fits
        without_a_key_to_sign_with_nothing_is_removed;
    groups:
        a_group_is_made_whole_and_reads_back
        without_room_nothing_is_made
        of_two_groups_that_want_the_last_node_one_is_made
        a_taken_id_makes_nothing
        a_replayed_nonce_changes_nothing
        another_accounts_group_looks_absent
        a_listing_filters_and_pages_oldest_first
        a_group_asked_to_go_is_not_found_and_its_sessions_are_to_go
        another_image_has_what_runs_begin_anew_without_the_apps_it_lacks
        users_are_granted_and_lose_a_group
        groups_change_together_or_not_at_all
        what_runs_is_looked_at_again_when_a_setting_of_its_group_changes;
    images:
        an_image_is_made_once_used_and_removed
        what_is_in_use_stays
        nothing_is_made_of_an_image_that_goes
        another_accounts_image_looks_absent
        an_account_has_so_many_images_and_no_more
        the_images_of_a_forgotten_server_are_lost;
    nodes:
        nodes_are_paged_in_the_order_in_which_they_came;
    resize:
        a_group_grows_by_sessions_with_the_next_numbers
        a_clock_that_was_set_back_does_not_mix_up_the_listing
        what_is_tied_least_goes_first_and_what_is_held_once_it_is_let_go
        a_held_session_that_is_to_leave_goes_with_its_last_user
        by_itself_nothing_goes_that_is_granted_held_or_just_left
        without_room_or_after_another_change_nothing_is_changed
        a_bought_node_belongs_to_the_group_from_then_on
        groups_that_scale_are_found_a_few_at_a_time
        a_paid_group_is_renewed_from_the_end_of_its_period
        a_listing_stays_right_while_its_group_grows_and_shrinks;
    removal:
        a_removed_instance_leaves_a_place_that_nothing_fills
        nodes_that_are_too_many_then_are_counted_until_they_are_empty
        what_is_held_granted_going_or_strange_stays_and_keeps_the_rest
        what_is_paid_for_stays_and_what_scaling_added_goes
        counts_stay_right_while_instances_and_nodes_come_and_go;
    identity:
        a_user_is_made_changed_and_deleted_under_its_name
        identities_of_another_account_look_absent
        a_users_keys_are_two_at_most_and_name_it
        a_group_holds_its_users_until_they_are_taken_out
        a_role_changes_and_goes_for_good
        a_policy_has_five_versions_of_which_one_is_in_force
        what_somebody_may_is_what_they_and_their_groups_have
        a_change_of_identities_spends_its_nonce
        secrets_are_sealed_with_one_key_and_open_with_no_other;
    paging:
        pages_agree_with_a_naive_model_while_sessions_go
        pages_of_instances_agree_with_a_naive_model_while_they_go
        a_page_past_the_end_is_empty_with_the_same_total
        a_filter_by_ids_ignores_duplicates_and_strangers
        sessions_of_another_account_type_or_ended_group_look_absent
        authorized_users_are_sorted_bytewise
        sessions_are_named_by_number_in_the_order_of_their_listing;
    ordinary:
        each_user_gets_a_free_session_and_keeps_it
        a_session_on_the_instance_that_is_named_is_given_if_it_is_free
        a_free_session_of_a_lost_server_is_given_to_nobody
        what_is_let_go_is_cleared_away_before_anybody_else_gets_it
        an_ordinary_session_is_no_persistent_one
        an_app_may_be_opened_by_whoever_was_granted_it_or_the_group;
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
    unbind:
        a_user_is_unbound_from_what_is_named_and_from_nothing_else
        what_is_unbound_must_belong_together_and_to_the_caller
        everybody_is_unbound_from_a_group_at_once
        a_session_is_reset_once_nobody_holds_it
        a_binding_expires_unless_its_user_came_back
        open_bindings_of_an_account_are_listed_oldest_first
        instances_are_listed_with_whoever_is_there
        users_are_listed_by_their_newest_grant
        single_apps_are_granted_and_listed_and_lost
        groups_granted_as_a_whole_are_listed_by_user
        settings_are_an_accounts_own
        tags_are_replaced_by_key_and_end_with_their_group
        groups_are_found_by_all_of_their_tags;
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
    servers:
        a_session_lives_where_it_was_placed_and_nowhere_else
        the_emptier_of_two_servers_takes_the_next_session
        a_server_taken_for_lost_writes_nothing_until_it_joins_again
        a_server_that_has_just_come_back_takes_nobody_for_lost
        what_was_up_on_a_server_is_found_when_it_is_lost
        a_server_taken_for_lost_ends_no_task
        a_forgotten_server_comes_back_to_nothing_and_its_sessions_live_elsewhere;
    history:
        what_is_wished_and_seen_is_kept_and_nothing_twice
        a_history_keeps_its_latest_events
        a_wish_of_several_sessions_is_of_all_or_of_none
        a_reset_is_not_lost_to_a_later_wish
        sessions_of_all_groups_are_listed_until_they_are_purged;
}
