-- oldest reader: 4
-- What happened to each session: every status it was seen to take, and every wish somebody had for it. An
-- older build cannot follow: it neither keeps this nor knows the wish for a restart.

CREATE TABLE session_events (
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    -- Counts the events of the session from 1; the oldest are dropped, their numbers are not given again.
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- The wish; null when the event is a change that was seen.
    asked TEXT,
    status_before TEXT NOT NULL,
    status TEXT NOT NULL,
    instance_status TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (session_id, number)
);
