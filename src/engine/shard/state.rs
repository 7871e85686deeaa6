//! What a node may do with a shard.

use super::Refusal;

/// The state of a shard on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Nothing of it is here.
    #[default]
    Dead,
    /// A copy is kept of what its owner, in this epoch, sends.
    Replica(u32),
    /// As a replica, and about to become the owner: requests wait.
    Pending(u32),
    /// This node owns and serves it.
    Active(u32),
    /// This node owned it and serves it no more. What it held up to this record is to be handed on.
    Sealed(u64),
}

/// What the cluster decided about a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This node keeps a copy of what the owner of this epoch sends.
    Follow(u32),
    /// This node is to take it over.
    Prepare,
    /// This node owns it in a new epoch. A node that was sealed gets it back with it.
    Activate {
        /// The epoch, greater than all before.
        epoch: u32,
        /// The last record of the owner before, if that sealed it.
        final_seq: Option<u64>,
    },
    /// This node stops serving it: a handover is about to end, or a later epoch was heard of.
    Seal,
    /// Another node is active, and this one is to keep nothing.
    Release,
}

impl State {
    /// Whether requests are served.
    pub(super) fn serves(self) -> Result<(), Refusal> {
        match self {
            Self::Active(_) => Ok(()),
            Self::Pending(_) => Err(Refusal::Pending),
            Self::Sealed(_) => Err(Refusal::Moving),
            Self::Dead | Self::Replica(_) => Err(Refusal::NotMine),
        }
    }

    /// Whether records from an owner in the epoch `theirs` are taken.
    pub(super) fn takes(self, theirs: u32) -> Result<(), Refusal> {
        match self {
            Self::Replica(mine) | Self::Pending(mine) if theirs > mine => {
                Err(Refusal::Unheard { current: mine })
            }
            Self::Replica(mine) | Self::Pending(mine) if theirs == mine => Ok(()),
            Self::Replica(current) | Self::Pending(current) | Self::Active(current) => {
                Err(Refusal::Stale { current })
            }
            Self::Sealed(_) => Err(Refusal::Moving),
            Self::Dead => Err(Refusal::NotMine),
        }
    }

    /// The state after a decision. `epoch` is the latest epoch of the shard known here, `seq` its
    /// last record.
    pub(super) fn after(self, decision: Decision, epoch: u32, seq: u64) -> Result<Self, Refusal> {
        match (self, decision) {
            (Self::Active(_), Decision::Follow(_) | Decision::Release) => Err(Refusal::WrongState),
            (_, Decision::Follow(theirs)) if theirs < epoch => {
                Err(Refusal::Stale { current: epoch })
            }
            (_, Decision::Follow(theirs)) => Ok(Self::Replica(theirs)),
            (Self::Dead, Decision::Prepare) => Ok(Self::Pending(epoch)),
            (Self::Replica(mine), Decision::Prepare) => Ok(Self::Pending(mine)),
            (Self::Pending(_) | Self::Sealed(_), Decision::Activate { epoch: new, .. })
                if new <= epoch =>
            {
                Err(Refusal::Stale { current: epoch })
            }
            (Self::Pending(_), Decision::Activate { epoch, final_seq }) => {
                // A log with a hole must not be served.
                let complete = final_seq.is_none_or(|last| last == seq);
                complete
                    .then_some(Self::Active(epoch))
                    .ok_or(Refusal::WrongState)
            }
            (Self::Sealed(_), Decision::Activate { epoch, .. }) => Ok(Self::Active(epoch)),
            (Self::Active(_), Decision::Seal) => Ok(Self::Sealed(seq)),
            (Self::Sealed(_), Decision::Seal) => Ok(self),
            (_, Decision::Release) => Ok(Self::Dead),
            _ => Err(Refusal::WrongState),
        }
    }
}
