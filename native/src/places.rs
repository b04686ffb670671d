//! The guarded ranges of addresses, in a table that a signal's handler can read.
//!
//! Rule: no lock. A reader that was interrupted by a writer looks again, and a handler never waits
//! for its own thread: whoever changes the table touches no guarded memory meanwhile.

use std::sync::atomic::{fence, AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// How many ranges can be guarded at a time, in a process.
pub const PLACES: usize = 4096;

/// The bits of an id that say which place; those above say for the how manyth time it is in use.
const PLACE_BITS: u32 = PLACES.trailing_zeros();
const GENERATIONS: u32 = 1 << (31 - PLACE_BITS);

/// How often a reader looks again at a place that is being changed before it gives up.
const LOOKS: u32 = 1 << 20;

/// How often before it gives the processor away.
const LOOKS_A_TURN: u32 = 64;

/// So many faults in a range that was removed are taken for ones that began before.
const LATE_FAULTS: u32 = 64;

/// A place of the table.
///
/// `sequence` is odd while the place is being changed, and another one after each change.
struct Place {
    sequence: AtomicU32,
    live: AtomicBool,
    /// Guarded still, but the first to go when there is no other place.
    abandoned: AtomicBool,
    /// How many ranges have been here.
    generation: AtomicU32,
    start: AtomicUsize,
    end: AtomicUsize,
    /// Faults after the removal.
    late: AtomicU32,
}

/// What the table knows of an address.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// It is in the range of this place, which ends there.
    Live { place: usize, end: usize },
    /// The same, but its thread has forgotten it: something else may lie there by now.
    Abandoned { place: usize },
    /// It was in a range that was removed a moment ago, perhaps after the fault.
    Removed,
    /// Nothing, or no longer.
    Nothing,
}

pub struct Table {
    places: [Place; PLACES],
    /// Where the search for a place begins: behind the last one, so that one that was removed is
    /// remembered for a while.
    next: AtomicUsize,
}

impl Place {
    const fn new() -> Place {
        Place {
            sequence: AtomicU32::new(0),
            live: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            generation: AtomicU32::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            late: AtomicU32::new(0),
        }
    }

    /// Changes the place, unless `when` says no. Not for a signal's handler: it waits for whoever
    /// changes the place just now.
    fn change(&self, when: impl Fn(&Place) -> bool, how: impl Fn(&Place)) -> bool {
        let mut before = self.sequence.load(Ordering::Relaxed);
        // SYNC: a reader that sees what is stored below sees the odd number, too.
        while before & 1 == 1
            || self
                .sequence
                .compare_exchange(
                    before,
                    before.wrapping_add(1),
                    Ordering::Acquire,
                    Ordering::Relaxed,
                )
                .is_err()
        {
            // SAFETY: a system call without arguments; whoever changes the place may need the processor.
            unsafe { libc::sched_yield() };
            before = self.sequence.load(Ordering::Relaxed);
        }
        fence(Ordering::Release);
        let changes = when(self);
        if changes {
            how(self);
        }
        // SYNC: pairs with the first load in range().
        self.sequence
            .store(before.wrapping_add(2), Ordering::Release);
        changes
    }

    fn set(&self, live: bool, start: usize, end: usize) {
        self.live.store(live, Ordering::Relaxed);
        self.abandoned.store(false, Ordering::Relaxed);
        self.start.store(start, Ordering::Relaxed);
        self.end.store(end, Ordering::Relaxed);
        self.late.store(0, Ordering::Relaxed);
    }

    /// The id of the range that is here, or was the last.
    fn id(&self, index: usize) -> u32 {
        let generation = self.generation.load(Ordering::Relaxed) % GENERATIONS;
        (generation << PLACE_BITS) | index as u32
    }

    /// What stands in the place, all of one moment.
    fn range(&self) -> Option<(bool, usize, usize)> {
        for look in 1..=LOOKS {
            let before = self.sequence.load(Ordering::Acquire);
            let range = (
                self.live.load(Ordering::Relaxed),
                self.start.load(Ordering::Relaxed),
                self.end.load(Ordering::Relaxed),
            );
            // SYNC: pairs with the fence in change().
            fence(Ordering::Acquire);
            if before & 1 == 0 && self.sequence.load(Ordering::Relaxed) == before {
                return Some(range);
            }
            std::hint::spin_loop();
            if look % LOOKS_A_TURN == 0 {
                // SAFETY: a system call without arguments; whoever changes the place may need the processor.
                unsafe { libc::sched_yield() };
            }
        }
        None
    }
}

/// The place of an id; of a number that is none, too.
pub fn place_of(id: u32) -> usize {
    id as usize % PLACES
}

impl Table {
    pub const fn new() -> Table {
        Table {
            places: [const { Place::new() }; PLACES],
            next: AtomicUsize::new(0),
        }
    }

    /// Enters a range: its id, below 2^31, or none where the table is full.
    ///
    /// What is said of the id later reaches no other range that has the place by then.
    pub fn add(&self, start: usize, end: usize) -> Option<u32> {
        for place in &self.places {
            // Whoever had these addresses before has them no more, and did not say so.
            let overlaps = |place: &Place| {
                place.start.load(Ordering::Relaxed) < end
                    && start < place.end.load(Ordering::Relaxed)
            };
            if overlaps(place) {
                place.change(overlaps, |place| place.set(false, 0, 0));
            }
        }
        let from = self.next.load(Ordering::Relaxed);
        let is_free = |place: &Place| !place.live.load(Ordering::Relaxed);
        let is_abandoned = |place: &Place| place.abandoned.load(Ordering::Relaxed);
        let enter = |place: &Place| {
            place.generation.fetch_add(1, Ordering::Relaxed);
            place.set(true, start, end);
        };
        // Looked at before it is changed, for nobody else's place is to be touched.
        let enter_if =
            |place: &Place, when: &dyn Fn(&Place) -> bool| when(place) && place.change(when, enter);
        let in_turn = || (from..from + PLACES).map(|index| index % PLACES);
        let found = in_turn()
            .find(|index| enter_if(&self.places[*index], &is_free))
            .or_else(|| in_turn().find(|index| enter_if(&self.places[*index], &is_abandoned)))?;
        self.next.store((found + 1) % PLACES, Ordering::Relaxed);
        Some(self.places[found].id(found))
    }

    /// A range has another end; false where it is guarded no more.
    pub fn extend(&self, id: u32, length: usize) -> bool {
        self.change(id, |place| {
            let start = place.start.load(Ordering::Relaxed);
            place
                .end
                .store(start.saturating_add(length), Ordering::Relaxed);
        })
    }

    /// Takes a range out; false where it is guarded no more.
    pub fn remove(&self, id: u32) -> bool {
        self.change(id, |place| place.live.store(false, Ordering::Relaxed))
    }

    /// Guards a range as long as there is another place for the next; false where it is guarded no more.
    pub fn abandon(&self, id: u32) -> bool {
        self.change(id, |place| place.abandoned.store(true, Ordering::Relaxed))
    }

    /// Whether a range is guarded.
    pub fn is_live(&self, id: u32) -> bool {
        self.live_at(place_of(id))
            .is_some_and(|(there, ..)| there == id)
    }

    /// The id of the range that an address is in.
    pub fn id_at(&self, address: usize) -> Option<u32> {
        let is_it = |&(_, start, end): &(u32, usize, usize)| start <= address && address < end;
        (0..PLACES)
            .find_map(|index| self.live_at(index).filter(is_it))
            .map(|(id, ..)| id)
    }

    /// The id and the range of a place, where one is guarded.
    fn live_at(&self, index: usize) -> Option<(u32, usize, usize)> {
        let place = &self.places[index];
        let id = place.id(index);
        let (live, start, end) = place.range()?;
        // Another generation since: another range, which is asked for anew if need be.
        (live && place.id(index) == id).then_some((id, start, end))
    }

    fn change(&self, id: u32, how: impl Fn(&Place)) -> bool {
        let index = place_of(id);
        let is_it = |place: &Place| place.live.load(Ordering::Relaxed) && place.id(index) == id;
        self.places[index].change(is_it, how)
    }

    /// Whose range an address is in. For a signal's handler.
    pub fn find(&self, address: usize) -> Found {
        let mut found = Found::Nothing;
        for (index, place) in self.places.iter().enumerate() {
            let Some((live, start, end)) = place.range() else {
                continue;
            };
            if address < start || address >= end {
                continue;
            }
            if live {
                // A place is given up by who is in a range alone, so this is of the same moment.
                return if place.abandoned.load(Ordering::Relaxed) {
                    Found::Abandoned { place: index }
                } else {
                    Found::Live { place: index, end }
                };
            }
            if place.late.fetch_add(1, Ordering::Relaxed) < LATE_FAULTS {
                found = Found::Removed;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{place_of, Found, Place, Table, GENERATIONS, LATE_FAULTS, PLACES};
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn find_knows_the_first_and_the_last_address_of_a_range() {
        let table = Table::new();
        let id = table.add(0x1000, 0x3000).unwrap();
        let place = place_of(id);
        assert_eq!(table.find(0xfff), Found::Nothing);
        assert_eq!(table.find(0x1000), Found::Live { place, end: 0x3000 });
        assert_eq!(table.find(0x2fff), Found::Live { place, end: 0x3000 });
        assert_eq!(table.find(0x3000), Found::Nothing);
        assert!(table.extend(id, 0x4000));
        assert_eq!(table.find(0x4fff), Found::Live { place, end: 0x5000 });
    }

    #[test]
    fn find_remembers_a_removed_range_for_so_many_faults() {
        let table = Table::new();
        let id = table.add(0x1000, 0x2000).unwrap();
        assert!(table.remove(id));
        assert!(!table.remove(id) && !table.extend(id, 1));
        for _ in 0..LATE_FAULTS {
            assert_eq!(table.find(0x1000), Found::Removed);
        }
        assert_eq!(table.find(0x1000), Found::Nothing);
    }

    #[test]
    fn add_forgets_who_had_the_addresses_before() {
        let table = Table::new();
        let stale = table.add(0x1000, 0x3000).unwrap();
        let place = place_of(table.add(0x2000, 0x4000).unwrap());
        assert_eq!(table.find(0x1000), Found::Nothing);
        assert_eq!(table.find(0x2000), Found::Live { place, end: 0x4000 });
        assert!(!table.remove(stale));
    }

    #[test]
    fn add_gives_nothing_when_the_table_is_full_and_uses_places_again() {
        let table = Table::new();
        let range = |index: usize| ((index + 1) << 12, (index + 2) << 12);
        for index in 0..PLACES {
            let (start, end) = range(index);
            assert_eq!(table.add(start, end).map(place_of), Some(index));
        }
        let (start, end) = range(PLACES);
        assert_eq!(table.add(start, end), None);
        let Found::Live { place: 7, .. } = table.find(8 << 12) else {
            panic!("the eighth range is elsewhere");
        };
        assert!(table.remove(table.places[7].id(7)));
        assert_eq!(table.add(start, end).map(place_of), Some(7));
    }

    #[test]
    fn who_is_late_to_remove_a_range_takes_no_other_out() {
        let table = Table::new();
        let first = table.add(0x1000, 0x2000).unwrap();
        assert!(table.remove(first));
        for _ in 1..PLACES {
            let other = table.add(0x3000, 0x4000).unwrap();
            assert!(table.remove(other));
        }
        let again = table.add(0x5000, 0x6000).unwrap();
        assert_eq!(place_of(again), place_of(first));
        assert!(!table.remove(first) && !table.extend(first, 0x2000));
        assert_eq!(
            table.find(0x5000),
            Found::Live {
                place: place_of(again),
                end: 0x6000
            }
        );
        assert!(table.remove(again));
    }

    #[test]
    fn an_abandoned_range_is_guarded_until_its_place_is_needed() {
        let table = Table::new();
        let id = table.add(0x1000, 0x2000).unwrap();
        let place = place_of(id);
        assert_eq!(table.find(0x1000), Found::Live { place, end: 0x2000 });
        assert!(table.abandon(id) && table.is_live(id));
        assert_eq!(table.id_at(0x1fff), Some(id));
        assert_eq!(table.find(0x1000), Found::Abandoned { place });
        for index in 1..PLACES {
            assert!(table.add((index + 1) << 12, (index + 2) << 12).is_some());
        }
        assert!(table.is_live(id));
        let start = (PLACES + 1) << 12;
        let next = table.add(start, start + 1).unwrap();
        assert_eq!((place_of(next), table.is_live(id)), (place_of(id), false));
        assert_eq!(
            (table.id_at(0x1000), table.id_at(start)),
            (None, Some(next))
        );
        assert!(!table.abandon(id));
        assert_eq!(table.add(start + 1, start + 2), None);
    }

    #[test]
    fn an_id_is_below_2_to_the_31_however_often_its_place_was_used() {
        let place = Place::new();
        place
            .generation
            .store(GENERATIONS - 1, std::sync::atomic::Ordering::Relaxed);
        let last = place.id(PLACES - 1);
        assert_eq!((last, place_of(last)), (i32::MAX as u32, PLACES - 1));
        place
            .generation
            .store(GENERATIONS, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(place.id(0), 0);
    }

    #[test]
    fn ids_that_are_none_are_refused() {
        let table = Table::new();
        assert!(!table.remove(0) && !table.remove(PLACES as u32) && !table.extend(u32::MAX, 1));
    }

    #[test]
    fn threads_that_change_the_table_together_lose_nothing() {
        let table = Table::new();
        std::thread::scope(|scope| {
            for thread in 0..4usize {
                let table = &table;
                scope.spawn(move || {
                    for round in 0..500 {
                        let start = ((thread + 1) << 32) + (round << 12);
                        let id = table.add(start, start + 0x1000).unwrap();
                        assert!(table.extend(id, 0x800));
                        assert!(table.is_live(id));
                        assert!(table.remove(id));
                    }
                });
            }
        });
        assert!(table
            .places
            .iter()
            .all(|place| !place.live.load(Ordering::Relaxed)));
    }

    #[test]
    fn a_range_is_all_of_one_moment() {
        // Two ranges of one length take turns at a place: the start of one with the end of the other
        // has another length.
        let place = Place::new();
        place.set(true, 0x1000, 0x2000);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 0..1_000_000 {
                    let start = if turn % 2 == 0 { 0x1000 } else { 0x9000 };
                    place.change(|_| true, |place| place.set(true, start, start + 0x1000));
                }
                over.store(true, Ordering::Relaxed);
            });
            let mut torn = 0;
            while !over.load(Ordering::Relaxed) {
                let Some((_, start, end)) = place.range() else {
                    continue; // the other thread has no processor just now
                };
                torn += u32::from(end.wrapping_sub(start) != 0x1000);
            }
            assert_eq!(torn, 0);
        });
    }
}
