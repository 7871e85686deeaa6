//! Who gets what is published on a channel, by the bytes they get.

use crate::engine::broker::SlotSet;

use super::line::Framing;
use super::lines::Lines;
use super::piece::{Log, LogId, Mark};

/// Subscribers that get the same bytes.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) framing: Framing,
    pub(super) members: SlotSet,
    /// Its log of this turn, if something was published.
    pub(super) log: Option<LogId>,
}

impl Group {
    /// Appends to the group's log, and sees to it that every member has it in its stretches.
    pub(super) fn append<T>(&mut self, lines: &mut Lines<T>, append: impl FnOnce(&mut Log)) {
        let id = match self.log {
            Some(id) => {
                let log = &mut lines.logs[id as usize];
                let (from, mut waiting) = (log.mark(), std::mem::take(&mut log.waiting));
                for slot in waiting.drain(..) {
                    if self.members.contains(slot) {
                        lines.begin_stretch(slot, id, from);
                    }
                }
                // Nobody who gets this has begun to wait for it meanwhile.
                lines.logs[id as usize].waiting = waiting;
                id
            }
            None => {
                let id = lines.open_log();
                self.log = Some(id);
                for slot in self.members.iter() {
                    lines.begin_stretch(slot, id, Mark::default());
                }
                id
            }
        };
        let log = &mut lines.logs[id as usize];
        let before = log.mark().bytes;
        append(log);
        lines.bytes += log.mark().bytes - before;
    }
}

/// The connections that have joined a channel.
#[derive(Debug, Default)]
pub(super) struct Audience {
    pub(super) groups: Vec<Group>,
}

impl Audience {
    pub(super) fn group(&mut self, framing: Framing) -> &mut Group {
        let known = self.groups.iter().position(|it| it.framing == framing);
        let index = known.unwrap_or_else(|| {
            self.groups.reserve_exact(1);
            self.groups.push(Group {
                framing,
                members: SlotSet::default(),
                log: None,
            });
            self.groups.len() - 1
        });
        &mut self.groups[index]
    }

    /// The group a connection is in.
    pub(super) fn group_of(&mut self, slot: u32) -> Option<&mut Group> {
        let mut groups = self.groups.iter_mut();
        groups.find(|group| group.members.contains(slot))
    }

    /// Whether nobody is left, and nothing of theirs.
    pub(super) fn is_over(&self) -> bool {
        let mut groups = self.groups.iter();
        groups.all(|group| group.members.is_empty() && group.log.is_none())
    }
}
