//! The rules for `[[images]]`.

use super::{Config, ConfigError, are_entries};
use crate::catalogue::{BROWSER_IMAGE, LOCAL_IMAGE};
use greenroom_session_api::image::is_folder_path;

/// The most images that are folders.
const MAX_IMAGES: usize = 64;

/// Refuses images that cannot be, whatever is in their folders.
///
/// # Errors
/// What is wrong with one.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let wrong = |text: String| Err(ConfigError::Rule(format!("images: {text}")));
    if config.images.len() > MAX_IMAGES {
        return wrong(format!("at most {MAX_IMAGES}"));
    }
    for image in &config.images {
        let id = image.id.as_str();
        if [LOCAL_IMAGE, BROWSER_IMAGE].contains(&id) {
            return wrong(format!("{id} is an image of this machine's"));
        }
        if image.name.is_empty() || image.name.len() > 256 {
            return wrong(format!("the name of {id} must have 1 to 256 bytes"));
        }
        if !is_folder_path(&image.dir) {
            return wrong(format!(
                "the dir of {id} must be absolute, not /, without .. and any of , : \\, and at most 200 bytes long"
            ));
        }
        if !are_entries(&image.desktop_entries) {
            return wrong(format!(
                "the desktop_entries of {id} are at most 64 names of files without their folder and .desktop, none twice"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<Config, ConfigError> {
        Config::from_text(&format!("[[images]]\nid = 'img-a'\nname = 'A'\n{more}"))
    }

    #[test]
    fn an_image_is_a_folder_with_a_name_and_an_id_of_its_own() {
        let whole = read("dir = '/srv/a'").unwrap();
        assert_eq!(whole.images.len(), 1);
        assert_eq!(Config::from_text(&whole.to_text()).unwrap(), whole);
        for (more, named) in [
            ("", "dir"),
            ("dir = 'srv/a'", "dir of img-a"),
            ("dir = '/'", "dir of img-a"),
            ("dir = '/srv/../etc'", "dir of img-a"),
            ("dir = '/srv/a:/etc'", "dir of img-a"),
            (
                "dir = '/srv/a'\ndesktop_entries = ['../x']",
                "desktop_entries of img-a",
            ),
            (
                "dir = '/srv/a'\ndesktop_entries = ['x', 'x']",
                "desktop_entries of img-a",
            ),
            ("dir = '/srv/a'\npath = ''", "images.path"),
            (
                "dir = '/srv/a'\n[[images]]\nid = 'img-a'\nname = 'B'\ndir = '/b'",
                "twice",
            ),
            (
                "dir = '/srv/a'\n[[images]]\nid = 'img-browser'\nname = 'B'\ndir = '/b'",
                "img-browser",
            ),
            (
                "dir = '/srv/a'\n[[images]]\nid = 'img-b'\nname = ''\ndir = '/b'",
                "name of img-b",
            ),
        ] {
            let error = read(more).unwrap_err();
            let mut text = error.to_string();
            if let Some(cause) = std::error::Error::source(&error) {
                text.push_str(&cause.to_string());
            }
            assert!(text.contains(named), "{more}: {text}");
        }
    }
}
