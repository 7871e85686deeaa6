//! A hierarchical timing wheel (Varghese and Lauck, 1987), one timer per index of somebody's table.
//!
//! A level has 64 slots, each 64 times as wide as one of the level below; a slot of the lowest level
//! is one tick. A deadline belongs to the level of the highest six bits in which it differs from the
//! present, so all of a level is due before anything of a level above. When the present enters a
//! slot, what is in it moves down. Timers of a slot are a ring through the table of timers: nothing
//! is allocated or searched for to set or to cancel one.

use super::Tick;

/// Bits of a deadline that choose the slot of a level.
const BITS: u32 = 6;

/// Slots of a level: as many as a word has bits.
const SLOTS: usize = 1 << BITS;

/// Levels that cover every deadline there is.
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;

/// No timer.
const NONE: u32 = u32::MAX;

/// Timers that are looked at to know the earliest exactly. Of more, the start of their slot is
/// taken, where they are spread over the slots below.
pub(super) const LOOKED_AT: usize = 16;

/// The deadline of each index of a table that has one.
#[derive(Debug)]
pub struct Wheel {
    levels: Box<[Level; LEVELS]>,
    timers: Vec<Timer>,
    /// The last tick that was looked at: nothing that is set is before it.
    present: u64,
    /// Nothing is due before this.
    next: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    /// One bit per slot that has a timer.
    occupied: u64,
    /// The first timer of each slot.
    first: [u32; SLOTS],
}

/// A timer, and its neighbours in the ring of its slot. One that is off has none.
#[derive(Debug, Clone, Copy)]
struct Timer {
    at: u64,
    next: u32,
    previous: u32,
}

const _: () = assert!(size_of::<Timer>() == 16);

const OFF: Timer = Timer {
    at: 0,
    next: NONE,
    previous: NONE,
};

/// Where a timer is: its level, and the slot of it.
type Place = (usize, usize);

impl Default for Wheel {
    fn default() -> Self {
        let level = Level {
            occupied: 0,
            first: [NONE; SLOTS],
        };
        Self {
            levels: Box::new([level; LEVELS]),
            timers: Vec::new(),
            present: 0,
            next: None,
        }
    }
}

impl Wheel {
    /// Sets the timer of an index, in place of the one it may have. One that is over is due at once.
    pub fn schedule(&mut self, index: u32, at: Tick) {
        let needed = index as usize + 1;
        if self.timers.len() < needed {
            self.timers.resize(needed, OFF);
        }
        self.cancel(index);
        let at = at.ms().max(self.present);
        self.timers[index as usize].at = at;
        self.link(index);
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// Takes the timer of an index off, if it has one.
    pub fn cancel(&mut self, index: u32) {
        if let Some(at) = self.deadline(index) {
            self.unlink(index);
            if self.next == Some(at.ms()) {
                self.next = self.earliest();
            }
        }
    }

    /// When the timer of an index is due.
    pub fn deadline(&self, index: u32) -> Option<Tick> {
        let timer = self.timers.get(index as usize)?;
        (timer.next != NONE).then(|| Tick::from_ms(timer.at))
    }

    /// When [`Wheel::pop_due`] should be called: not after the first deadline, and before it at most
    /// once per level, where many timers are close to each other.
    pub fn next_due(&self) -> Option<Tick> {
        self.next.map(Tick::from_ms)
    }

    /// Takes the next timer that is due, in the order of deadlines; of equal ones that set first.
    pub fn pop_due(&mut self, now: Tick) -> Option<u32> {
        let now = now.ms();
        if self.next.is_some_and(|next| next > now) {
            return None;
        }
        while let Some((place, start)) = self.first_slot()
            && start <= now
        {
            self.present = self.present.max(start);
            let (level, slot) = place;
            if level == 0 {
                let index = self.levels[0].first[slot];
                self.unlink(index);
                return Some(index);
            }
            self.move_down(place);
        }
        self.present = self.present.max(now);
        self.next = self.earliest();
        None
    }

    /// The slot that is entered next, and its first tick.
    fn first_slot(&self) -> Option<(Place, u64)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let slot = self.levels[level].occupied.trailing_zeros();
        let shift = BITS * level as u32;
        // The bits above the level are those of the present; there are none above the highest.
        let above = u64::MAX.checked_shl(shift + BITS).unwrap_or(0);
        let start = (self.present & above) | (u64::from(slot) << shift);
        Some(((level, slot as usize), start))
    }

    /// The first deadline, or the start of its slot if many share that.
    fn earliest(&self) -> Option<u64> {
        let ((level, slot), start) = self.first_slot()?;
        if level == 0 {
            return Some(start);
        }
        let first = self.levels[level].first[slot];
        let (mut index, mut least) = (first, u64::MAX);
        for _ in 0..LOOKED_AT {
            let timer = self.timers[index as usize];
            least = least.min(timer.at);
            index = timer.next;
            if index == first {
                return Some(least);
            }
        }
        Some(start)
    }

    /// Spreads a slot that has been entered over the levels below, in its order.
    fn move_down(&mut self, (level, slot): Place) {
        let level = &mut self.levels[level];
        level.occupied &= !(1 << slot);
        let first = std::mem::replace(&mut level.first[slot], NONE);
        let mut index = first;
        loop {
            let next = self.timers[index as usize].next;
            self.link(index);
            if next == first {
                break;
            }
            index = next;
        }
    }

    /// Where a deadline belongs, seen from the present. It stays there until its slot is entered.
    fn place(&self, at: u64) -> Place {
        let differing = (self.present ^ at) | 1;
        let level = differing.ilog2() / BITS;
        let slot = (at >> (BITS * level)) as usize % SLOTS;
        (level as usize, slot)
    }

    /// Puts a timer behind those of its slot.
    fn link(&mut self, index: u32) {
        let (level, slot) = self.place(self.timers[index as usize].at);
        let level = &mut self.levels[level];
        let (mut next, mut previous) = (index, index);
        if level.first[slot] == NONE {
            level.first[slot] = index;
            level.occupied |= 1 << slot;
        } else {
            next = level.first[slot];
            previous = self.timers[next as usize].previous;
            self.timers[previous as usize].next = index;
            self.timers[next as usize].previous = index;
        }
        let timer = &mut self.timers[index as usize];
        (timer.next, timer.previous) = (next, previous);
    }

    fn unlink(&mut self, index: u32) {
        let Timer { at, next, previous } = self.timers[index as usize];
        let (level, slot) = self.place(at);
        let level = &mut self.levels[level];
        if next == index {
            level.first[slot] = NONE;
            level.occupied &= !(1 << slot);
        } else {
            self.timers[previous as usize].next = next;
            self.timers[next as usize].previous = previous;
            if level.first[slot] == index {
                level.first[slot] = next;
            }
        }
        self.timers[index as usize] = OFF;
    }
}
