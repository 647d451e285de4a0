//! The scheduler: polls tasks by hand, one at a time, and moves the clock when none can go on.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use vendorbridge::Engine;
use vendorbridge::circuit::Policy;
use vendorbridge::wake;

use super::agenda::{Command, Invocation, TaskId, timestamp};
use super::call::Sim;
use super::clock::VirtualClock;
use super::{attention, container, lanes, mapping, waker};

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Ready = Arc<Mutex<Vec<TaskId>>>;

struct Task {
    work: Work,
    waker: Waker,
    bell: Arc<Bell>,
    polls: u32,
    dies_at_poll: Option<u32>,
    process: Process,
}

/// Whose process dies with a task.
#[derive(Clone, Copy)]
enum Process {
    Function { unit: usize, container: usize },
    Waker { unit: usize },
}

/// Marks a task as ready.
struct Bell {
    task: TaskId,
    rung: AtomicBool,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            lock(&self.ready).push(self.task);
        }
    }
}

/// Runs a world to its end.
pub(crate) struct Scheduler {
    sim: Sim,
    tasks: HashMap<TaskId, Task>,
    ready: Ready,
    polling: Vec<TaskId>,
    held_up: HashSet<TaskId>,
    engines: HashMap<(usize, usize), Arc<Engine>>,
}

impl Scheduler {
    /// A scheduler of this world.
    pub(crate) fn new(sim: Sim) -> Self {
        Self {
            sim,
            tasks: HashMap::new(),
            ready: Arc::default(),
            polling: Vec::new(),
            held_up: HashSet::new(),
            engines: HashMap::new(),
        }
    }

    /// Runs until the world is over or nothing is left to happen.
    pub(crate) fn run(&mut self) {
        loop {
            self.obey();
            if self.poll_ready() {
                continue;
            }
            let mut world = self.sim.world();
            if world.is_over() {
                return;
            }
            let Some(action) = world.agenda.next() else { return };
            action(&mut world);
        }
    }

    fn obey(&mut self) {
        let commands = self.sim.world().agenda.commands();
        for command in commands {
            match command {
                Command::Invoke(invocation) => self.invoke(invocation),
                Command::Wake {
                    task,
                    unit,
                    deadline,
                    dies_at_poll,
                } => {
                    let sim = self.sim.clone();
                    let work = Box::pin(async move {
                        let lanes = lanes::VirtualLanes::new(sim.clone(), unit);
                        let attention = attention::VirtualAttention::new(sim.clone(), unit);
                        let clock = VirtualClock::new(sim.clone());
                        let name = sim.world().units[unit].name.clone();
                        let waker = wake::Waker {
                            attention: &attention,
                            lanes: &lanes,
                            clock: &clock,
                            circuit: Policy::default(),
                        };
                        let woken = waker.wake(&name, timestamp(deadline)).await;
                        waker::finished(&mut sim.world(), unit, &woken);
                    });
                    self.spawn(task, work, dies_at_poll, Process::Waker { unit });
                }
                Command::Kill(task) => self.kill(task),
                Command::Thaw(task) => {
                    if self.held_up.remove(&task) {
                        lock(&self.ready).push(task);
                    }
                }
            }
        }
    }

    fn invoke(&mut self, invocation: Invocation) {
        let Invocation {
            task,
            unit,
            container,
            batch,
            dies_at_poll,
        } = invocation;
        let engine = self
            .engines
            .entry((unit, container))
            .or_insert_with(|| Arc::new(container::engine(&self.sim, unit, container)));
        let (engine, sim) = (Arc::clone(engine), self.sim.clone());
        let work = Box::pin(async move {
            let returned = engine.handle(&batch).await;
            mapping::finished(&mut sim.world(), unit, container, &returned);
        });
        self.spawn(task, work, dies_at_poll, Process::Function { unit, container });
    }

    fn spawn(&mut self, id: TaskId, work: Work, dies_at_poll: Option<u32>, process: Process) {
        let bell = Arc::new(Bell {
            task: id,
            rung: AtomicBool::new(true),
            ready: Arc::clone(&self.ready),
        });
        let task = Task {
            work,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            polls: 0,
            dies_at_poll,
            process,
        };
        self.tasks.insert(id, task);
        lock(&self.ready).push(id);
    }

    /// Polls what is ready; `false` if nothing is.
    fn poll_ready(&mut self) -> bool {
        std::mem::swap(&mut self.polling, &mut lock(&self.ready));
        if self.polling.is_empty() {
            return false;
        }
        let polling = std::mem::take(&mut self.polling);
        for id in &polling {
            self.poll(*id);
        }
        self.polling = polling;
        self.polling.clear();
        true
    }

    fn poll(&mut self, id: TaskId) {
        if self.sim.world().is_held_up(id) {
            self.held_up.insert(id);
            return;
        }
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        task.polls += 1;
        if task.dies_at_poll == Some(task.polls) {
            self.kill(id);
            return;
        }
        task.bell.rung.store(false, Ordering::Relaxed);
        let poll = task.work.as_mut().poll(&mut Context::from_waker(&task.waker));
        if poll == Poll::Ready(()) {
            self.tasks.remove(&id);
        }
    }

    fn kill(&mut self, id: TaskId) {
        let Some(task) = self.tasks.remove(&id) else {
            return;
        };
        self.held_up.remove(&id);
        let process = task.process;
        drop(task);
        match process {
            Process::Function { unit, container } => {
                self.engines.remove(&(unit, container));
                mapping::died(&mut self.sim.world(), unit, container);
            }
            Process::Waker { unit } => waker::died(&mut self.sim.world(), unit),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
