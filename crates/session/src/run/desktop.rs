//! What an app expects of a desktop around it: the variables that say where things are, and the services behind
//! them, which init starts when they are first asked for.

use super::{Holder, bus};
use crate::sandbox::{Bwrap, Sandbox};
use greenroom_session_api::init::{Serve, to_init::Order};

/// What no launch of an app's stands behind: services, and what they start.
const SHARED: u64 = 0;

/// The message bus' socket, in the folder of the compositor's sockets.
const BUS: &str = "bus";

/// What most who use the bus ask for before they show anything: the portals, which would start their backend last of
/// all. It takes the longest, so it is first here.
const PORTALS: [&str; 2] = [
    "org.freedesktop.impl.portal.desktop.gtk",
    "org.freedesktop.portal.Desktop",
];

/// The sound server's socket there, where its clients look for it by themselves as well.
const SOUND: &str = "pulse/native";

/// What plays into nothing but `session.monitor`, which can be recorded. It knows no device of the machine, shares no
/// memory but over its socket, and goes when nobody has been connected for a minute.
const SOUND_SERVER: [&str; 13] = [
    "pulseaudio",
    "-n",
    "--daemonize=no",
    "--use-pid-file=no",
    "--exit-idle-time=60",
    "--disable-shm=yes",
    "--realtime=no",
    "--high-priority=no",
    "--disallow-module-loading=yes",
    "--log-target=stderr",
    "--load=module-null-sink sink_name=session rate=48000 channels=2",
    // Silence is not worked out for nobody.
    "--load=module-suspend-on-idle timeout=5",
    // All who reach the socket are one user's.
    "--load=module-native-protocol-unix auth-cookie-enabled=0",
];

impl Holder {
    /// Offers what all apps of the session share.
    pub(super) fn offer_desktop(&mut self) {
        let display = match self.open_app_door(SHARED) {
            Ok(display) => display,
            Err(error) => {
                tracing::error!(%error, "no display for the session's services");
                return;
            }
        };
        let daemon = [
            "dbus-daemon",
            "--session",
            "--address=systemd:",
            "--nofork",
            "--nopidfile",
            "--nosyslog",
        ];
        let x_display = self.offer_x_server(SHARED, &display);
        let env = self.environment(&display, x_display.as_deref(), &[]);
        self.offer("dbus-daemon", BUS, &daemon, env, bus::start(&PORTALS));
        // It would ask an X server, though it shows nothing.
        let env = self.environment(&display, None, &[]);
        self.offer("pulseaudio", SOUND, &SOUND_SERVER, env, Vec::new());
    }

    fn offer(
        &mut self,
        name: &str,
        socket: &str,
        argv: &[&str],
        env: Vec<String>,
        opening: Vec<u8>,
    ) {
        let order = Serve {
            name: name.to_owned(),
            path: format!("{}/{socket}", Bwrap.runtime_dir()),
            argv: argv.iter().map(|part| (*part).to_owned()).collect(),
            env,
            launch: SHARED,
            opening,
        };
        self.listen_to(name);
        // A sandbox that is gone already needs nothing.
        let _ = self.tell_init(Order::Serve(order));
    }

    /// The environment of a program whose windows go to `display`, or to an X server if it speaks no Wayland.
    pub(super) fn environment(
        &self,
        display: &str,
        x_display: Option<&str>,
        added: &[String],
    ) -> Vec<String> {
        let sandbox = Bwrap;
        let runtime_dir = sandbox.runtime_dir();
        let spec = &self.setup.spec;
        let bus = format!("unix:path={runtime_dir}/{BUS}");
        let sound = format!("unix:{runtime_dir}/{SOUND}");
        let own = [
            (
                "PATH",
                "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
            ),
            ("HOME", sandbox.home()),
            ("USER", "user"),
            ("LOGNAME", "user"),
            ("SHELL", self.setup.shell),
            ("LANG", &spec.locale),
            ("TZ", &spec.timezone),
            ("XDG_RUNTIME_DIR", runtime_dir),
            ("DBUS_SESSION_BUS_ADDRESS", &bus),
            // Named, a server that is not there is not started by each client for itself.
            ("PULSE_SERVER", &sound),
            ("WAYLAND_DISPLAY", display),
            ("XDG_SESSION_TYPE", "wayland"),
            // No desktop's own; portals take whatever is installed then.
            ("XDG_CURRENT_DESKTOP", "Greenroom"),
            ("MOZ_ENABLE_WAYLAND", "1"),
            // There is no accessibility bus and no settings daemon; without these GTK looks for them first.
            ("NO_AT_BRIDGE", "1"),
            ("GTK_A11Y", "none"),
            ("GSETTINGS_BACKEND", "keyfile"),
        ];
        // Wayland first, also where both are to be had.
        let toolkits: &[(&str, &str)] = match x_display {
            None => &[("GDK_BACKEND", "wayland"), ("QT_QPA_PLATFORM", "wayland")],
            Some(x_display) => &[
                ("DISPLAY", x_display),
                ("GDK_BACKEND", "wayland,x11"),
                ("QT_QPA_PLATFORM", "wayland;xcb"),
                // Else Java waits for a frame around its windows, which there is not.
                ("_JAVA_AWT_WM_NONREPARENTING", "1"),
            ],
        };
        let own = own
            .iter()
            .chain(toolkits)
            .map(|(name, value)| format!("{name}={value}"));
        own.chain(added.iter().cloned()).collect()
    }
}
