//! A shard's way to another process and back.

use super::*;

impl World {
    /// Moves a shard to another process, which has to know all this one knew; then takes it back.
    pub(super) fn hand_over(&mut self) {
        let name = self.random.pick(&KEPT);
        if self.shards.head(name).is_err() {
            assert!(self.short);
            return;
        }
        self.check_epoch(name);
        let number = shard_of(name);
        let mut other = Self::shards(99, false);
        let epoch = self.shards.shards[usize::from(number)].epoch();
        other.started = true;
        other.decide(number, Decision::Follow(epoch)).unwrap();
        let snapshot = self.shards.begin_handover(number).unwrap();
        other.replicate(number, epoch, &snapshot).unwrap();
        for _ in 0..self.random.below(10) {
            self.publish();
        }
        let tail = self.shards.take_tail(number).unwrap();
        other.replicate(number, epoch, &tail).unwrap();
        // A late repetition.
        other.replicate(number, epoch, &tail).unwrap();
        for _ in 0..self.random.below(4) {
            self.publish();
        }
        self.shards.decide(number, Decision::Seal).unwrap();
        let late = self.shards.append(message(name, "1"));
        assert_eq!(late, Err(Refusal::Moving));
        self.settle();
        let State::Sealed(last) = self.shards.state(number) else {
            panic!("not sealed");
        };
        let tail = self.shards.take_tail(number).unwrap();
        other.decide(number, Decision::Prepare).unwrap();
        let activate = |epoch, final_seq| Decision::Activate { epoch, final_seq };
        if !tail.is_empty() {
            let early = other.decide(number, activate(epoch + 1, Some(last)));
            assert_eq!(early, Err(Refusal::WrongState));
        }
        other.replicate(number, epoch, &tail).unwrap();
        other
            .decide(number, activate(epoch + 1, Some(last)))
            .unwrap();
        self.same_shard(name, &mut other);
        self.shards
            .decide(number, activate(epoch + 2, None))
            .unwrap();
    }
}
