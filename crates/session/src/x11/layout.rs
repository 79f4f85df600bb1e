//! Where windows are: an app's own fills the screen, what belongs to it keeps the size it wants.

/// A place on the screen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

/// Pixels each way.
pub type Size = (u32, u32);

/// How a window is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// It is as large as the screen, or as it may be.
    #[default]
    Main,
    /// It has the size it wants and is in the middle.
    Centred,
    /// It has the size and the place it wants: palettes and the like.
    Free,
}

/// What a window asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Its place and size as the app has it.
    pub rect: Rect,
    /// The least it can be.
    pub min: Option<Size>,
    /// The most it can be.
    pub max: Option<Size>,
}

impl Wish {
    /// An app whose window has one size only.
    pub fn is_fixed(&self) -> bool {
        self.max.is_some() && self.max == self.min
    }
}

/// Where a window goes on a screen.
pub fn place(screen: Size, kind: Kind, fullscreen: bool, wish: &Wish) -> Rect {
    if fullscreen {
        return centred(screen, screen);
    }
    match kind {
        Kind::Main => centred(screen, within(screen, wish)),
        Kind::Centred => {
            let asked = (wish.rect.width, wish.rect.height);
            centred(screen, within(asked, wish))
        }
        Kind::Free => kept_on(screen, wish.rect),
    }
}

fn within((width, height): Size, wish: &Wish) -> Size {
    let most = wish.max.unwrap_or((u32::MAX, u32::MAX));
    let least = wish.min.unwrap_or((1, 1));
    (
        width.min(most.0).max(least.0),
        height.min(most.1).max(least.1),
    )
}

/// In the middle; what is larger than the screen begins at its corner.
fn centred(screen: Size, size: Size) -> Rect {
    let offset = |outer: u32, inner: u32| signed(outer.saturating_sub(inner) / 2);
    Rect {
        x: offset(screen.0, size.0),
        y: offset(screen.1, size.1),
        width: size.0,
        height: size.1,
    }
}

/// Moved so far that all of it is to be seen, or as much as there is room for.
fn kept_on(screen: Size, rect: Rect) -> Rect {
    let keep = |at: i32, outer: u32, inner: u32| at.min(signed(outer.saturating_sub(inner))).max(0);
    Rect {
        x: keep(rect.x, screen.0, rect.width),
        y: keep(rect.y, screen.1, rect.height),
        ..rect
    }
}

fn signed(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Size = (1280, 800);

    fn rect(x: i32, y: i32, width: u32, height: u32) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    fn wish(rect: Rect) -> Wish {
        Wish {
            rect,
            min: None,
            max: None,
        }
    }

    #[test]
    fn an_apps_own_window_fills_the_screen_whatever_it_asked_for() {
        let asked = wish(rect(50, 60, 300, 200));
        let all = rect(0, 0, 1280, 800);
        assert_eq!(place(SCREEN, Kind::Main, false, &asked), all);
    }

    #[test]
    fn a_window_that_cannot_be_so_large_is_as_large_as_it_can_be_in_the_middle() {
        let mut asked = wish(rect(0, 0, 300, 200));
        asked.max = Some((640, 9999));
        let middle = rect(320, 0, 640, 800);
        assert_eq!(place(SCREEN, Kind::Main, false, &asked), middle);
        assert_eq!(
            place(SCREEN, Kind::Main, true, &asked),
            rect(0, 0, 1280, 800)
        );
    }

    #[test]
    fn a_dialog_has_its_size_in_the_middle_and_one_too_large_begins_in_the_corner() {
        let asked = wish(rect(7, 7, 300, 200));
        let middle = rect(490, 300, 300, 200);
        assert_eq!(place(SCREEN, Kind::Centred, false, &asked), middle);
        let large = wish(rect(7, 7, 2000, 200));
        let corner = rect(0, 300, 2000, 200);
        assert_eq!(place(SCREEN, Kind::Centred, false, &large), corner);
    }

    #[test]
    fn a_palette_stays_where_it_is_put_unless_that_is_off_the_screen() {
        let put = |x, y| place(SCREEN, Kind::Free, false, &wish(rect(x, y, 100, 100)));
        assert_eq!(put(30, 40), rect(30, 40, 100, 100));
        assert_eq!(put(1250, -20), rect(1180, 0, 100, 100));
    }

    #[test]
    fn sizes_beyond_all_bounds_are_placed_all_the_same() {
        let mut asked = wish(rect(i32::MIN, i32::MAX, u32::MAX, 0));
        asked.min = Some((u32::MAX, u32::MAX));
        for kind in [Kind::Main, Kind::Centred, Kind::Free] {
            assert_eq!(place(SCREEN, kind, false, &asked).x, 0);
        }
    }
}
