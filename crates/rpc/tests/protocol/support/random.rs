//! Repeatable randomness (SplitMix64), so that a failure can be had again.

pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("fits")
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// Text of up to `longest` characters that an encoder could stumble over.
    pub fn text(&mut self, longest: usize) -> String {
        const ALPHABET: [char; 24] = [
            'a', 'Z', '0', '9', '-', '_', '.', '~', ' ', '+', '&', '=', '%', '*', '\'', '(', '!',
            '/', '?', '#', '\n', '\u{0}', '中', '😀',
        ];
        (0..self.below(longest + 1))
            .map(|_| self.pick(&ALPHABET))
            .collect()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
