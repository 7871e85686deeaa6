//! Lives of pools in which everything that can happen does: every item has its result exactly
//! once, every job ends, and what may not be exceeded is not.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::super::{
    Answer, Block, Chunk, Command, JobId, JobOptions, JobResult, Payload, Scheduler, Structure,
    WorkerInfo, WorkerKey, WorkerKind, tag,
};
use super::support::{MS, job, options, worker};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let at = self.below(from.len().max(1) as u64) as usize;
        from.get(at).copied()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Done,
    Failed,
    Cancelled,
}

/// What the owner knows of a job.
struct Job {
    state: State,
    pushed: u32,
    /// Items with a result.
    results: BTreeSet<u32>,
    /// Whether anything happened for which it may fail.
    troubled: bool,
}

/// What a worker has.
struct Held {
    chunk: Chunk,
    /// Blocks not answered.
    left: Vec<Block>,
    cancelled: bool,
}

struct Worker {
    info: WorkerInfo,
    woken: bool,
    liar: bool,
    held: Vec<Held>,
}

struct World {
    random: Random,
    scheduler: Scheduler,
    now: u64,
    jobs: BTreeMap<JobId, Job>,
    workers: BTreeMap<WorkerKey, Worker>,
    /// Answers that were given, to be given again.
    sent: Vec<(WorkerKey, Answer)>,
    told: BTreeSet<JobId>,
    named: u64,
    verify: u32,
    retired: BTreeSet<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let structures = [Structure::Nested, Structure::Network, Structure::Sharded];
        let structure = structures[random.below(3) as usize];
        let verify = random.pick(&[0, 0, 2, 3]).unwrap_or(0);
        Self {
            random,
            scheduler: Scheduler::new(options(structure, verify)),
            now: 0,
            jobs: BTreeMap::new(),
            workers: BTreeMap::new(),
            sent: Vec::new(),
            told: BTreeSet::new(),
            named: 0,
            verify,
            retired: BTreeSet::new(),
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..6 => self.submit(),
            6..14 => self.push_more(),
            14..18 => self.end(),
            18..19 => self.cancel(),
            19..26 => self.online(),
            26..29 => self.lose(),
            29..30 => self.retire(),
            30..50 => self.take(),
            50..80 => self.answer(),
            80..83 => self.throw(),
            83..86 => self.repeat(),
            86..88 => self.progress(),
            88..92 => self.collect(),
            _ => self.pass_time(),
        }
        self.obey();
    }

    fn submit(&mut self) {
        let random = &mut self.random;
        let options = JobOptions {
            priority: random.below(3) as i32,
            concurrency: random.pick(&[0, 0, 0, 1, 3]).unwrap_or(0),
            retries: random.pick(&[None, None, Some(0), Some(5)]).flatten(),
            throw_retries: random.pick(&[0, 2, 5]).unwrap_or(0),
            timeout: random.pick(&[0, 0, 0, 50 * MS]).unwrap_or(0),
            chunk_size: random.pick(&[0, 0, 1, 7]).unwrap_or(0),
            stream: random.one_in(2),
            needs_code: random.one_in(4),
            plain_only: random.one_in(2),
            ..job()
        };
        let id = self.scheduler.submit(options, true, self.now);
        let id = id.expect("no bound is set");
        let job = Job {
            state: State::Open,
            pushed: 0,
            results: BTreeSet::new(),
            troubled: false,
        };
        self.jobs.insert(id, job);
        self.push(id);
    }

    fn in_state(&self, states: &[State]) -> Vec<JobId> {
        let jobs = self
            .jobs
            .iter()
            .filter(|(_, job)| states.contains(&job.state));
        jobs.map(|(id, _)| *id).collect()
    }

    fn push_more(&mut self) {
        let open = self.in_state(&[State::Open]);
        if let Some(id) = self.random.pick(&open) {
            self.push(id);
        }
    }

    fn push(&mut self, id: JobId) {
        let random = &mut self.random;
        let job = self.jobs.get_mut(&id).expect("a job");
        let first = job.pushed;
        let count = 1 + random.below(40) as u32;
        let partition = random.one_in(3).then(|| random.below(5) as u32);
        let payload = if random.one_in(2) {
            super::support::numbers(first, count)
        } else {
            unit(first, count, "in")
        };
        job.pushed += count;
        let block = Block {
            first,
            count,
            payload,
            partition,
        };
        assert!(self.scheduler.push(id, block, self.now));
    }

    fn end(&mut self) {
        let open = self.in_state(&[State::Open]);
        if let Some(id) = self.random.pick(&open) {
            self.jobs.get_mut(&id).expect("a job").state = State::Ended;
            self.scheduler.end(id, self.now);
        }
    }

    fn cancel(&mut self) {
        let running = self.in_state(&[State::Open, State::Ended]);
        if let Some(id) = self.random.pick(&running) {
            self.jobs.get_mut(&id).expect("a job").state = State::Cancelled;
            self.told.remove(&id);
            self.scheduler.cancel(id, self.now);
        }
    }

    fn online(&mut self) {
        if self.workers.len() >= 8 {
            return;
        }
        let kinds = [
            WorkerKind::Thread,
            WorkerKind::Process,
            WorkerKind::Browser,
            WorkerKind::Adaptable,
        ];
        let kind = kinds[self.random.below(4) as usize];
        let mut info = worker("", kind);
        info.slots = 1 + self.random.below(3) as u32;
        info.accepts_code = kind != WorkerKind::Browser;
        info.structured = kind != WorkerKind::Browser;
        let liar = kind == WorkerKind::Browser && self.verify > 1 && self.random.one_in(4);
        self.join(info, liar);
    }

    fn join(&mut self, mut info: WorkerInfo, liar: bool) {
        self.named += 1;
        info.id = format!("w{}", self.named).into();
        if self.random.one_in(20)
            && let Some(other) = self.workers.values().next()
        {
            // Takes the place of one that is online.
            info.id = Arc::clone(&other.info.id);
            self.trouble();
        }
        let key = self.scheduler.online(info.clone(), self.now);
        let worker = Worker {
            info,
            woken: true,
            liar,
            held: Vec::new(),
        };
        self.workers.insert(key, worker);
    }

    /// Whatever workers have now may be lost.
    fn trouble(&mut self) {
        let held = self.workers.values().flat_map(|worker| &worker.held);
        let jobs: Vec<JobId> = held.map(|held| held.chunk.job).collect();
        for id in jobs {
            self.jobs.get_mut(&id).expect("a job").troubled = true;
        }
    }

    fn any_worker(&mut self) -> Option<WorkerKey> {
        let keys: Vec<WorkerKey> = self.workers.keys().copied().collect();
        self.random.pick(&keys)
    }

    fn lose(&mut self) {
        let Some(key) = self.any_worker() else {
            return;
        };
        self.trouble();
        let name = Arc::clone(&self.workers[&key].info.id);
        match self.random.below(3) {
            0 => self.scheduler.lost_by_name(&name, "exit", self.now),
            1 => self.scheduler.lost(key, "", self.now),
            _ => {
                self.scheduler.lost(key, "", self.now);
                self.scheduler
                    .lost_by_name(&name, "OUT_OF_MEMORY", self.now);
            }
        }
    }

    fn retire(&mut self) {
        if let Some(key) = self.any_worker() {
            let name = Arc::clone(&self.workers[&key].info.id);
            self.scheduler.retire(&name, self.now);
        }
    }

    /// A worker does what it is to do when it is woken.
    fn take(&mut self) {
        let woken = self.workers.iter().filter(|(_, worker)| worker.woken);
        let woken: Vec<WorkerKey> = woken.map(|(key, _)| *key).collect();
        if let Some(key) = self.random.pick(&woken) {
            self.take_all(key);
        }
    }

    fn take_all(&mut self, key: WorkerKey) {
        while let Some(chunk) = self.scheduler.take(key, self.now) {
            self.scheduler.check();
            let worker = self.workers.get_mut(&key).expect("a worker");
            assert!(!self.retired.contains(&*worker.info.id));
            let left = chunk.blocks.clone();
            worker.held.push(Held {
                chunk,
                left,
                cancelled: false,
            });
        }
        if let Some(worker) = self.workers.get_mut(&key) {
            worker.woken = false;
        }
    }

    fn holder(&mut self) -> Option<WorkerKey> {
        let holders = self.workers.iter().filter(|(_, it)| !it.held.is_empty());
        let holders: Vec<WorkerKey> = holders.map(|(key, _)| *key).collect();
        self.random.pick(&holders)
    }

    fn answer(&mut self) {
        let Some(key) = self.holder() else {
            return;
        };
        let worker = self.workers.get_mut(&key).expect("a worker");
        let at = self.random.below(worker.held.len() as u64) as usize;
        let may_divide = worker.info.kind == WorkerKind::Thread && self.verify == 0;
        let may_divide = may_divide && self.random.one_in(4);
        let held = &mut worker.held[at];
        let lease = held.chunk.lease;
        let block = match held.left.first_mut() {
            None => held.chunk.blocks[0].clone(),
            // Only a part, sometimes, unless it is voted on.
            Some(next) if next.count > 1 && is_numbers(next) && may_divide => {
                let part = 1 + self.random.below(u64::from(next.count) - 1) as u32;
                part_of(next, part)
            }
            Some(_) => held.left.remove(0),
        };
        let payload = if worker.liar && !self.random.one_in(3) {
            let job = self.jobs.get_mut(&held.chunk.job);
            job.expect("a job").troubled = true;
            unit(self.random.next() as u32, 0, "lie")
        } else {
            result_of(&block)
        };
        let answer = Answer {
            lease,
            first: block.first,
            count: block.count,
            last: held.left.is_empty(),
            payload,
        };
        if answer.last {
            worker.held.remove(at);
        }
        self.sent.push((key, answer.clone()));
        self.scheduler.done(key, answer, self.now);
        self.obey();
        self.take_all(key);
    }

    fn throw(&mut self) {
        let Some(key) = self.holder() else {
            return;
        };
        let worker = self.workers.get_mut(&key).expect("a worker");
        let held = worker.held.remove(0);
        self.jobs.get_mut(&held.chunk.job).expect("a job").troubled = true;
        let item = held.left.first().map(|it| it.first + it.count / 2);
        let item = item.filter(|_| !self.random.one_in(20));
        let lease = held.chunk.lease;
        self.scheduler.failed(key, lease, item, "{}", self.now);
        self.obey();
        self.take_all(key);
    }

    /// What was said is said again, perhaps by somebody else.
    fn repeat(&mut self) {
        let at = self.random.below(self.sent.len().max(1) as u64) as usize;
        let Some((mut key, mut answer)) = self.sent.get(at).cloned() else {
            return;
        };
        if self.random.one_in(3) {
            key = self.any_worker().unwrap_or(key);
            // Not of a lease that this worker has: that would be an answer.
            let worker = self.workers.get(&key);
            let holds = |it: &Worker| it.held.iter().any(|it| it.chunk.lease == answer.lease);
            if worker.is_some_and(holds) {
                return;
            }
        } else {
            answer.last = false;
        }
        self.scheduler.done(key, answer, self.now);
    }

    fn progress(&mut self) {
        if let Some(key) = self.holder() {
            let held = &self.workers[&key].held[0];
            let (lease, index) = (held.chunk.lease, held.chunk.blocks[0].first);
            let payload = unit(index, 1, "progress");
            self.scheduler
                .progress(key, lease, index, payload, self.now);
        }
    }

    fn pass_time(&mut self) {
        let ms = self.random.pick(&[0, 1, 1, 5, 20, 60, 1_100, 31_000]);
        let ms = ms.unwrap_or(0);
        if ms > 0 {
            self.trouble();
        }
        if !self.random.one_in(3) {
            let alive: Vec<WorkerKey> = self.workers.keys().copied().collect();
            for key in alive {
                self.scheduler.renew(key, self.now + ms * MS);
            }
        }
        self.now += ms * MS;
        self.scheduler.tick(self.now);
        let next = self.scheduler.next_deadline();
        assert!(next.is_none_or(|next| next > self.now));
    }

    /// Does what the scheduler says.
    fn obey(&mut self) {
        self.scheduler.check();
        let commands: Vec<Command> = self.scheduler.commands().collect();
        for command in commands {
            match command {
                Command::Wake(key) => {
                    let worker = self.workers.get_mut(&key).expect("woken while online");
                    worker.woken = true;
                }
                Command::Cancel { worker, lease } => self.cancelled(worker, lease),
                Command::Lost { key, .. } => {
                    self.workers.remove(&key).expect("lost once");
                }
                Command::Results(job) => {
                    assert!(self.told.insert(job), "told twice");
                }
                Command::Done(job) => {
                    self.take_results(job);
                    let job = self.jobs.get_mut(&job).expect("a job");
                    assert_eq!(job.state, State::Ended);
                    assert_eq!(job.results.len() as u32, job.pushed);
                    job.state = State::Done;
                }
                Command::Failed { job, .. } => {
                    self.take_results(job);
                    let job = self.jobs.get_mut(&job).expect("a job");
                    assert!(matches!(job.state, State::Open | State::Ended));
                    assert!(job.troubled, "nothing happened for which it may fail");
                    job.state = State::Failed;
                }
                Command::Progress { job, .. } => {
                    let state = self.jobs[&job].state;
                    assert!(matches!(state, State::Open | State::Ended));
                }
                Command::Retired(name) => {
                    self.retired.insert(name.to_string());
                }
                Command::Online { worker, .. } => {
                    self.retired.remove(&*worker);
                }
                Command::Room(_) => panic!("nothing was full"),
                Command::Terminate { .. } | Command::Demand(_) => {}
            }
        }
    }

    /// Some workers heed it, some do not.
    fn cancelled(&mut self, key: WorkerKey, lease: u32) {
        let Some(worker) = self.workers.get_mut(&key) else {
            return;
        };
        let held = worker.held.iter_mut().find(|it| it.chunk.lease == lease);
        let held = held.expect("a lease that it has");
        assert!(!std::mem::replace(&mut held.cancelled, true), "once");
    }

    fn collect(&mut self) {
        let told: Vec<JobId> = self.told.iter().copied().collect();
        if let Some(id) = self.random.pick(&told) {
            self.take_results(id);
        }
    }

    fn take_results(&mut self, id: JobId) {
        self.told.remove(&id);
        for result in self.scheduler.take_results(id) {
            let job = self.jobs.get_mut(&id).expect("a job");
            check_result(&result);
            for item in result.first..result.first + result.count {
                assert!(item < job.pushed);
                assert!(job.results.insert(item), "item {item} twice");
            }
        }
    }

    /// No more trouble: everything has to end.
    fn calm(&mut self) {
        for id in self.in_state(&[State::Open]) {
            self.jobs.get_mut(&id).expect("a job").state = State::Ended;
            self.scheduler.end(id, self.now);
            self.obey();
        }
        for _ in 0..20_000 {
            if self.in_state(&[State::Ended]).is_empty() {
                return;
            }
            self.replenish();
            self.take();
            self.answer();
            if self.random.one_in(10) {
                self.breathe();
            }
            self.obey();
        }
        panic!("jobs {:?} do not end", self.in_state(&[State::Ended]));
    }
}

impl World {
    /// Sees to it that there are workers of each kind that are content with what they get.
    fn replenish(&mut self) {
        for kind in [WorkerKind::Thread, WorkerKind::Process, WorkerKind::Browser] {
            let good = |it: &&Worker| {
                let is_retired = self.retired.contains(&*it.info.id);
                it.info.kind == kind && it.info.accepts_code && !it.liar && !is_retired
            };
            if self.workers.values().filter(good).count() == 0 {
                self.join(worker("", kind), false);
                self.obey();
            }
        }
    }

    /// Time passes, and everybody gives a sign of life.
    fn breathe(&mut self) {
        self.trouble();
        self.now += MS;
        let alive: Vec<WorkerKey> = self.workers.keys().copied().collect();
        for key in alive {
            self.scheduler.renew(key, self.now);
        }
        self.scheduler.tick(self.now);
    }
}

fn unit(first: u32, count: u32, what: &str) -> Payload {
    Payload {
        tag: tag::JSON,
        data: Bytes::from(format!("{what} {first} {count}")),
    }
}

fn is_numbers(block: &Block) -> bool {
    block.payload.tag == tag::NUMBERS
}

/// Takes the first items out of a block of numbers.
fn part_of(block: &mut Block, count: u32) -> Block {
    let part = Block {
        count,
        payload: super::support::numbers(block.first, count),
        ..block.clone()
    };
    block.first += count;
    block.count -= count;
    block.payload = super::support::numbers(block.first, block.count);
    part
}

fn number_of(item: u32) -> f64 {
    f64::from(item) * 2.0 + 1.0
}

/// What an honest worker gives.
fn result_of(block: &Block) -> Payload {
    if block.payload.tag != tag::NUMBERS {
        assert_eq!(block.payload, unit(block.first, block.count, "in"));
        return unit(block.first, block.count, "out");
    }
    assert_eq!(
        block.payload,
        super::support::numbers(block.first, block.count)
    );
    let items = block.first..block.first + block.count;
    let numbers = items.flat_map(|item| number_of(item).to_le_bytes());
    Payload {
        tag: tag::NUMBERS,
        data: numbers.collect(),
    }
}

fn check_result(result: &JobResult) {
    let items = result.first..result.first + result.count;
    if result.payload.tag == tag::NUMBERS {
        let wanted: Vec<u8> = items.flat_map(|it| number_of(it).to_le_bytes()).collect();
        assert_eq!(result.payload.data, wanted);
    } else {
        assert_eq!(result.payload, unit(result.first, result.count, "out"));
    }
}

#[test]
fn whatever_happens_every_item_has_its_result_once_and_every_job_ends() {
    let seeds = std::env::var("ES_NETWORKCLUSTER_SEEDS").ok();
    let seeds: u64 = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(500);
    for seed in 0..seeds {
        let simulation = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..300 {
                world.step();
            }
            world.calm();
        });
        assert!(simulation.is_ok(), "seed {seed}");
    }
}
