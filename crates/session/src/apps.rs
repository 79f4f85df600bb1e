//! What was launched and what became of it.

use greenroom_session_api::control::{AppReport, Limit};
use greenroom_session_api::init::Ended;

/// Different apps one session has had; an image has a handful.
const MAX_APPS: usize = 256;

/// The latest launch of each app.
#[derive(Debug, Default)]
pub struct Apps {
    reports: Vec<AppReport>,
    launches: u64,
}

/// What an order to launch an app comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It runs already: raise this launch.
    Raise(u64),
    /// Start it as this launch.
    Start(u64),
    /// There are too many apps.
    Refuse,
}

impl Apps {
    /// An app is wanted.
    pub fn want(&mut self, app_id: &str) -> Decision {
        let known = self
            .reports
            .iter()
            .position(|report| report.app_id == app_id);
        if let Some(running) = known
            .map(|at| &self.reports[at])
            .filter(|report| !report.ended)
        {
            return Decision::Raise(running.launch);
        }
        if known.is_none() && self.reports.len() == MAX_APPS {
            return Decision::Refuse;
        }
        self.launches += 1;
        let report = AppReport {
            app_id: app_id.to_owned(),
            launch: self.launches,
            ..AppReport::default()
        };
        match known {
            Some(at) => self.reports[at] = report,
            None => self.reports.push(report),
        }
        Decision::Start(self.launches)
    }

    /// Its process runs; `pid` is what the machine calls it, 0 when that is not known.
    pub fn started(&mut self, launch: u64, pid: u32) {
        if let Some(report) = self.find(launch) {
            report.pid = pid;
        }
    }

    /// A window of it has something to show. Whether that is news.
    pub fn drawn(&mut self, launch: u64) -> bool {
        self.find(launch)
            .is_some_and(|report| !std::mem::replace(&mut report.drawn, true))
    }

    /// Whether a window of it has had something to show.
    pub fn has_drawn(&self, launch: u64) -> bool {
        let mut reports = self.reports.iter();
        reports.any(|report| report.launch == launch && report.drawn)
    }

    /// Its process is no more, or never was; `limit` is what ended it, if one did.
    pub fn ended(&mut self, end: Ended, limit: Limit) {
        if let Some(report) = self.find(end.launch) {
            report.set_limit(limit);
            report.ended = true;
            report.exit_code = end.exit_code;
            report.signal = end.signal;
            report.failure = end.failure;
        }
    }

    /// What of the apps still ran is no more, for one reason.
    pub fn all_ended(&mut self, failure: &str) {
        for report in self.reports.iter_mut().filter(|report| !report.ended) {
            report.ended = true;
            report.failure = failure.to_owned();
        }
    }

    /// Whether an app runs.
    pub fn any_runs(&self) -> bool {
        self.reports.iter().any(|report| !report.ended)
    }

    /// Every app, in the order they were first launched.
    pub fn reports(&self) -> &[AppReport] {
        &self.reports
    }

    fn find(&mut self, launch: u64) -> Option<&mut AppReport> {
        self.reports
            .iter_mut()
            .find(|report| report.launch == launch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(launch: u64, code: i32) -> Ended {
        Ended {
            launch,
            exit_code: Some(code),
            ..Ended::default()
        }
    }

    #[test]
    fn an_app_that_runs_is_raised_and_one_that_ended_is_launched_again() {
        let mut apps = Apps::default();
        assert_eq!(apps.want("ca-foot"), Decision::Start(1));
        assert_eq!(apps.want("ca-foot"), Decision::Raise(1));
        assert_eq!(apps.want("ca-mousepad"), Decision::Start(2));
        apps.ended(ended(1, 0), Limit::None);
        assert_eq!(apps.want("ca-foot"), Decision::Start(3));
        let launches: Vec<u64> = apps.reports().iter().map(|report| report.launch).collect();
        assert_eq!(launches, [3, 2]);
    }

    #[test]
    fn news_of_an_earlier_launch_does_not_touch_the_latest() {
        let mut apps = Apps::default();
        apps.want("ca-foot");
        apps.ended(ended(1, 0), Limit::None);
        apps.want("ca-foot");
        apps.ended(ended(1, 7), Limit::None);
        assert!(!apps.drawn(1));
        assert!(apps.any_runs());
        assert_eq!(apps.reports()[0].exit_code, None);
    }

    #[test]
    fn the_first_picture_is_news_once() {
        let mut apps = Apps::default();
        apps.want("ca-foot");
        assert!(apps.drawn(1));
        assert!(!apps.drawn(1));
    }

    #[test]
    fn the_end_of_the_sandbox_leaves_earlier_ends_as_they_were() {
        let mut apps = Apps::default();
        apps.want("ca-foot");
        apps.want("ca-mousepad");
        apps.ended(ended(1, 3), Limit::None);
        apps.all_ended("the sandbox ended");
        assert_eq!(apps.reports()[0].exit_code, Some(3));
        assert_eq!(apps.reports()[0].failure, "");
        assert_eq!(apps.reports()[1].failure, "the sandbox ended");
        assert!(!apps.any_runs());
    }

    #[test]
    fn the_number_of_apps_is_bounded() {
        let mut apps = Apps::default();
        for at in 0..MAX_APPS {
            assert_ne!(apps.want(&format!("ca-{at}")), Decision::Refuse);
        }
        assert_eq!(apps.want("ca-more"), Decision::Refuse);
        assert_eq!(apps.want("ca-0"), Decision::Raise(1));
    }
}
