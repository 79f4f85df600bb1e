//! Which network sessions of this machine have, and what it would take to give them the internet.

use super::walls::{Standing, Wall, whole};
use crate::catalogue::on_path;
use crate::config;
use greenroom_session_api::spec::Network;
use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

const NAME: &str = "network";

/// Where `pasta` makes a network's interface.
const TUNNELS: &str = "/dev/net/tun";

/// What keeps sessions from the internet, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lack {
    what: String,
    advice: &'static str,
}

/// The network that a setting comes to on this machine, whose sessions are users of their own or not.
pub fn chosen(setting: config::Network, own_ids: bool) -> Network {
    match setting {
        config::Network::None => Network::None,
        config::Network::Host => Network::Host,
        config::Network::Internet => Network::Internet,
        config::Network::Auto => found(lack(own_ids).as_ref()),
    }
}

fn found(lack: Option<&Lack>) -> Network {
    match lack {
        None => Network::Internet,
        Some(_) => Network::None,
    }
}

/// The same, with how sessions are kept from the machine's network then.
pub fn look(setting: config::Network, own_ids: bool) -> (Network, Wall) {
    match setting {
        config::Network::None => {
            let wall = whole(NAME, "sessions have none".to_owned());
            (Network::None, wall)
        }
        config::Network::Host => {
            let wall = Wall {
                name: NAME,
                standing: Standing::Partly,
                acts: "sessions reach all that this machine reaches, its own services included"
                    .to_owned(),
                advice: "set sessions.network to \"internet\" or \"none\" where strangers have sessions",
            };
            (Network::Host, wall)
        }
        config::Network::Internet => {
            let wall = of_internet(lack(own_ids), Standing::Missing);
            (Network::Internet, wall)
        }
        config::Network::Auto => {
            let lack = lack(own_ids);
            (found(lack.as_ref()), of_internet(lack, Standing::Whole))
        }
    }
}

/// `without` is how it stands where there is no way to the internet.
fn of_internet(lack: Option<Lack>, without: Standing) -> Wall {
    match lack {
        None => whole(
            NAME,
            "sessions reach public addresses by pasta, and by nftables nothing nearer".to_owned(),
        ),
        Some(Lack { what, advice }) => Wall {
            name: NAME,
            standing: without,
            acts: match without {
                Standing::Missing => format!("sessions cannot be given the internet: {what}"),
                _ => format!("sessions have none, as they cannot be given the internet: {what}"),
            },
            advice,
        },
    }
}

/// Tries whether there would be a packet filter; changes nothing.
fn lack(own_ids: bool) -> Option<Lack> {
    let lack = |what: &str, advice| {
        Some(Lack {
            what: what.to_owned(),
            advice,
        })
    };
    if !on_path("pasta") {
        return lack("pasta is not there", "install the package passt");
    }
    if !on_path("nft") && !Path::new("/usr/sbin/nft").is_file() {
        return lack("nft is not there", "install the package nftables");
    }
    if !tunnels_are_open(own_ids) {
        return lack(
            "/dev/net/tun is not there, or not everybody's to open",
            "load the kernel's module tun, and give the file the mode 0666 that distributions give it",
        );
    }
    let mut trial = Command::new("unshare");
    trial.args(["--user", "--map-root-user", "--net", "--"]);
    trial.args(["nft", "add", "table", "inet", "greenroom"]);
    trial.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    match trial.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let why = said.lines().next().unwrap_or("it says nothing");
            lack(
                &format!("no packet filter can be made: {why}"),
                "the kernel needs nf_tables, and has to allow user namespaces with rights of their own",
            )
        }
        Err(error) => lack(
            &format!("unshare cannot be run: {error}"),
            "install the package util-linux",
        ),
    }
}

/// Sessions' users, who are not this one where they have ids of their own, open it themselves.
fn tunnels_are_open(own_ids: bool) -> bool {
    const TO_EVERYBODY: u32 = 0o006;
    match own_ids {
        true => std::fs::metadata(TUNNELS)
            .is_ok_and(|file| file.permissions().mode() & TO_EVERYBODY == TO_EVERYBODY),
        false => OpenOptions::new()
            .read(true)
            .write(true)
            .open(TUNNELS)
            .is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_sessions_from_the_internet_is_told_and_stops_them_only_where_it_was_asked_for() {
        let lack = || {
            Some(Lack {
                what: "pasta is not there".to_owned(),
                advice: "install the package passt",
            })
        };
        for standing in [Standing::Whole, Standing::Missing] {
            let wall = of_internet(lack(), standing);
            assert_eq!(wall.standing, standing);
            let line = wall.to_string();
            assert!(line.contains("pasta is not there"), "{line}");
            assert!(line.ends_with("(install the package passt)"), "{line}");
        }
        assert_eq!(
            of_internet(None, Standing::Missing).standing,
            Standing::Whole
        );
    }

    #[test]
    fn what_was_set_is_not_second_guessed() {
        for (setting, network) in [
            (config::Network::None, Network::None),
            (config::Network::Host, Network::Host),
            (config::Network::Internet, Network::Internet),
        ] {
            assert_eq!(chosen(setting, false), network);
        }
    }
}
