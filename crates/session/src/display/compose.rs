//! From windows to pixels: what changed since the last frame, drawn into a slot of the ring.

use super::ring::{Rect, Ring};
use super::{Stage, windows};
use smithay::backend::renderer::damage::OutputDamageTracker;
use smithay::backend::renderer::element::surface::WaylandSurfaceRenderElement;
use smithay::backend::renderer::element::{AsRenderElements, Element, RenderElement};
use smithay::backend::renderer::pixman::{PixmanError, PixmanFrame, PixmanRenderer};
use smithay::backend::renderer::{Bind, Color32F, Frame, Renderer};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Rectangle, Scale, Transform};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Behind the windows.
const BACKGROUND: Color32F = Color32F::new(0.11, 0.12, 0.13, 1.0);

type Piece = WaylandSurfaceRenderElement<PixmanRenderer>;

/// The renderer and what it remembers of the frame before.
pub struct Painter {
    renderer: PixmanRenderer,
    tracker: OutputDamageTracker,
}

/// A frame that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The slot it is in.
    pub slot: u32,
    /// What differs from the frame composed before it.
    pub damage: Vec<Rect>,
}

impl Painter {
    /// A painter for the stage as it is; after a resize another one is needed.
    ///
    /// # Errors
    /// The renderer cannot be had.
    pub fn new(stage: &Stage) -> Result<Self, PixmanError> {
        let geometry = stage.geometry();
        Ok(Self {
            renderer: PixmanRenderer::new()?,
            tracker: OutputDamageTracker::new(geometry.size(), geometry.scale(), Transform::Normal),
        })
    }

    /// Draws a frame, if it would differ from the one before and a slot is free.
    ///
    /// # Errors
    /// The renderer failed as a whole. A window that cannot be drawn only costs its client the connection.
    pub fn compose(
        &mut self,
        stage: &mut Stage,
        ring: &mut Ring,
    ) -> Result<Option<Composed>, PixmanError> {
        if !ring.has_free_slot() {
            return Ok(None);
        }
        let (pieces, owners) = self.pieces(stage);
        // Age 1 asks for the difference to the frame before; what each slot owes beyond that, the ring knows.
        let Ok((Some(damage), _)) = self.tracker.damage_output(1, &pieces) else {
            return Ok(None);
        };
        let damage = damage.clone();
        ring.owe(&damage);
        let Some((slot, image, owed)) = ring.free_slot() else {
            return Ok(None);
        };
        let geometry = stage.geometry();
        let mut target = self.renderer.bind(image)?;
        let mut frame = self
            .renderer
            .render(&mut target, geometry.size(), Transform::Normal)?;
        let broken = draw(&mut frame, &pieces, owed, geometry.scale().into())?;
        // The renderer is synchronous, so there is nothing to wait for.
        let _ = frame.finish()?;
        ring.lend(slot);
        for at in broken {
            stage.expel(&owners[at], "its buffer cannot be read");
        }
        Ok(Some(Composed { slot, damage }))
    }

    /// What is to be seen, the highest first, and the window each piece belongs to.
    fn pieces(&mut self, stage: &Stage) -> (Vec<Piece>, Vec<WlSurface>) {
        let (mut pieces, mut owners) = (Vec::new(), Vec::new());
        for entry in stage.windows.visible() {
            pieces.extend(self.pieces_of(stage, entry));
            owners.resize(pieces.len(), entry.toplevel().wl_surface().clone());
        }
        (pieces, owners)
    }

    fn pieces_of(&mut self, stage: &Stage, entry: &windows::Entry) -> Vec<Piece> {
        let scale = stage.geometry.scale();
        let origin = entry.location(stage.geometry.logical()) - entry.window.geometry().loc;
        let origin = origin.to_physical_precise_round(scale);
        entry
            .window
            .render_elements(&mut self.renderer, origin, scale.into(), 1.0)
    }
}

/// Disconnects the clients whose windows drive the renderer or the window arithmetic into a panic. That is
/// how an app's absurd coordinates show in a build with overflow checks. The top window's client goes when
/// none is found, so that a panic never comes back for ever.
pub fn expel_broken(stage: &Stage) {
    let breaks = |entry: &&windows::Entry| {
        catch_unwind(AssertUnwindSafe(|| {
            let mut painter = Painter::new(stage)?;
            painter.pieces_of(stage, entry);
            entry.window.bbox_with_popups();
            Ok::<(), PixmanError>(())
        }))
        .is_err()
    };
    let mut broken: Vec<_> = stage.windows.all().filter(breaks).collect();
    if broken.is_empty() {
        broken.extend(stage.windows.visible().next());
    }
    for entry in broken {
        stage.expel(entry.toplevel().wl_surface(), "its window cannot be drawn");
    }
}

/// Draws `owed` of the pieces, the lowest first; answers which of them could not be drawn.
fn draw(
    frame: &mut PixmanFrame<'_, '_>,
    pieces: &[Piece],
    owed: &[Rect],
    scale: Scale<f64>,
) -> Result<Vec<usize>, PixmanError> {
    // What shows of each piece: what is owed less what opaque pieces above it cover.
    let mut uncovered = owed.to_vec();
    let mut shown = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let place = piece.geometry(scale);
        let part: Vec<Rect> = uncovered
            .iter()
            .filter_map(|rect| rect.intersection(place))
            .map(|rect| Rectangle::new(rect.loc - place.loc, rect.size))
            .collect();
        shown.push((place, part));
        let opaque = piece.opaque_regions(scale).into_iter();
        let opaque = opaque.map(|rect| Rectangle::new(rect.loc + place.loc, rect.size));
        uncovered = Rectangle::subtract_rects_many(uncovered, opaque);
    }
    if !uncovered.is_empty() {
        frame.clear(BACKGROUND, &uncovered)?;
    }
    let mut broken = Vec::new();
    for (at, (piece, (place, part))) in pieces.iter().zip(&shown).enumerate().rev() {
        let drawn = part.is_empty()
            || RenderElement::draw(piece, frame, piece.src(), *place, part, &[]).is_ok();
        if !drawn {
            broken.push(at);
        }
    }
    Ok(broken)
}
