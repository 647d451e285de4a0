//! A product's plan: its people, its course, its runs, then what is said of each, and at last their publication.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::SignedDuration;
use vendorbridge::clock::Clock;
use vendorbridge::ledger::Status;
use vendorbridge::vendor::{Invalid, Push, Standing, Vendor};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Verdict};

use crate::client::Client;
use crate::config::Settings;
use crate::mapping::{Course, CourseState, Member, Run};

const PEOPLE: &str = "people";
const COURSE: &str = "course";
const METADATA: &str = "metadata";

/// Look-ups may be answered from a cache that is told of changes.
const VISIBLE_AFTER: Duration = Duration::from_secs(5);

/// An event that brings people and their course is two at once: the course waits a moment for its people.
const LOOKS_FOR: SignedDuration = SignedDuration::from_secs(4);
const LOOKS_EVERY: Duration = Duration::from_millis(250);
/// As long as its own event is this young.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(30);
/// Then it looks again after this,
const WAITS: Duration = Duration::from_secs(15);
/// and after this, once its event is older than [`SOON`].
const WAITS_LONG: Duration = Duration::from_mins(5);
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// The vendor's ids of people.
type Uuids = BTreeMap<EntityKey, String>;

/// Courses with their runs. A course's key is its organisation and number. A run's is made by course-discovery: it is created once,
/// and found again by `<line>:<run id>` in its external key.
pub(crate) struct Courses {
    client: Client,
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl Courses {
    pub(crate) fn new(client: Client, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            settings,
            clock,
        }
    }

    /// A course keeps its key: under another one there would be two.
    async fn keep_key(&self, push: &Push<'_>, key: &str) -> Result<(), Error> {
        let refused = |other: &str| {
            let message = format!(
                "expected the organisation and number of the course that is there, found others: {other} cannot be renamed or deleted by the API"
            );
            Error::permanent(ErrorKind::Refused, Stage::Push, message)
                .at("/course/number")
                .code("key-is-fixed")
                .in_step(COURSE)
        };
        if let Some(other) = push.link.as_deref().filter(|link| *link != key) {
            return Err(refused(other));
        }
        // A creation of unknown outcome, before the line thought better of it.
        for other in push.maybe_links.iter().filter(|other| *other != key) {
            let is_there = self.client.has_course(push.now, other).await;
            if is_there.map_err(|error| error.in_step(COURSE))? {
                return Err(refused(other));
            }
        }
        Ok(())
    }

    /// The vendor's ids of all who are on a run's staff. Somebody who waits for an update is there.
    async fn people(&self, push: &Push<'_>, course: &Course) -> Result<Uuids, Error> {
        let age = push.now.duration_since(push.event_time);
        let until = if age < AT_ONCE {
            LOOKS_FOR
        } else {
            SignedDuration::ZERO
        };
        let started = self.clock.now();
        let is_late = || self.clock.now().duration_since(started) >= until;
        let mut missing = course.staff();
        let mut uuids = Uuids::new();
        loop {
            let looks = missing.iter().map(|member| push.standing(&member.instructor));
            let found = join_all(looks).await;
            let mut still = Vec::new();
            for (member, standing) in missing.into_iter().zip(found) {
                match standing? {
                    Some(Standing { link: Some(uuid), .. }) => {
                        uuids.insert(member.instructor.clone(), uuid);
                    }
                    // Of what was said of him together with the course, or after it. What was refused before may be mended by an
                    // event that is on its way beside this one.
                    Some(standing) if is_given_up(&standing) && standing.settled_at >= push.event_time => {
                        return Err(rejected(member));
                    }
                    Some(standing) if is_given_up(&standing) && is_late() => return Err(rejected(member)),
                    _ => still.push(member),
                }
            }
            missing = still;
            let Some(first) = missing.first() else {
                return Ok(uuids);
            };
            if is_late() {
                return Err(waits_for(first, age));
            }
            self.clock.sleep(LOOKS_EVERY).await;
        }
    }

    /// What is said of a run, and who is on its staff.
    async fn details(&self, push: &mut Push<'_>, run: &Run, key: &str, uuids: &Uuids) -> Result<(), Error> {
        let mut body = run.details.clone();
        if let Some(staff) = &run.staff {
            let uuid = |member: &Member| uuids.get(&member.instructor).map(String::as_str);
            body["staff"] = staff.iter().filter_map(uuid).collect();
        }
        let now = push.now;
        push.part(&run.staff_step(), &body, || {
            self.client.update_run(now, run, key, &body)
        })
        .await
    }
}

/// Nobody tries again to bring him to the vendor.
fn is_given_up(standing: &Standing) -> bool {
    matches!(standing.status, Status::Rejected | Status::Dead)
}

impl Vendor for Courses {
    type Entity = CourseState;
    type Payload = Course;

    fn map(&self, state: &CourseState) -> Result<Course, Invalid> {
        state.course(&self.settings)
    }

    fn link(&self, course: &Course) -> Option<String> {
        Some(course.key.clone())
    }

    async fn push(&self, push: &mut Push<'_>, course: &Course) -> Result<String, Error> {
        let (now, client, key) = (push.now, &self.client, course.key.as_str());
        // Also while its first plan is under way, however often that begins anew.
        let is_to_create = push.link.is_none() || push.is_first();
        push.plan(course.steps(is_to_create));
        self.keep_key(push, key).await?;
        let uuids = self
            .people(push, course)
            .await
            .map_err(|error| error.in_step(PEOPLE))?;
        if !uuids.is_empty() {
            push.part(PEOPLE, &uuids, || async { Ok(()) }).await?;
        }
        if is_to_create {
            let create = |_| async {
                client.ensure_course(now, course).await?;
                Ok(key.to_owned())
            };
            push.step::<String, _, _>(COURSE, create).await?;
            push.set_link(Some(key.to_owned()));
        }
        let mut keys = Vec::with_capacity(course.runs.len());
        for run in &course.runs {
            let find = |_, _: String| client.find_run(now, key, run);
            let work = |_: String| client.create_run(now, run);
            let about = run.external_key.clone();
            keys.push(push.once(&run.step(), VISIBLE_AFTER, about, find, work).await?);
        }
        // Nobody sees a course that was only just created.
        let is_live = !is_to_create && course.runs.iter().any(|run| run.publish);
        let runs = || course.runs.iter().zip(keys.iter().map(String::as_str));
        let is_sent = |run: &Run| run.publish && push.has_part(&run.publish_step());
        let sent: Vec<_> = runs().filter(|(run, _)| is_sent(run)).collect();
        push.part(METADATA, &course.metadata, || {
            client.update_course(now, key, &course.metadata, is_live, &sent)
        })
        .await?;
        for (run, run_key) in runs() {
            self.details(push, run, run_key, &uuids).await?;
        }
        for (run, run_key) in runs().filter(|(run, _)| run.publish) {
            // What is published shows its changes when it is published again.
            let state = (&run.details, &run.staff);
            push.part(&run.publish_step(), &state, || {
                client.publish_run(now, run, run_key)
            })
            .await?;
        }
        Ok(key.to_owned())
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        if push.link.is_none() && push.maybe_links.is_empty() {
            return Ok(());
        }
        let message = "course-discovery deletes no courses and no runs: take them out of the shop window by hand, or delete them in its administration";
        Err(Error::permanent(ErrorKind::Refused, Stage::Push, message).code(crate::NOT_DELETABLE))
    }
}

impl Course {
    /// Everybody on a run's staff, once each.
    fn staff(&self) -> Vec<&Member> {
        let mut seen = BTreeSet::new();
        let all = self.runs.iter().filter_map(|run| run.staff.as_ref()).flatten();
        all.filter(|member| seen.insert(&member.instructor)).collect()
    }

    fn steps(&self, is_to_create: bool) -> Vec<String> {
        let mut steps = Vec::new();
        if !self.staff().is_empty() {
            steps.push(PEOPLE.to_owned());
        }
        if is_to_create {
            steps.push(COURSE.to_owned());
        }
        steps.extend(self.runs.iter().map(Run::step));
        steps.push(METADATA.to_owned());
        steps.extend(self.runs.iter().map(Run::staff_step));
        steps.extend(self.runs.iter().filter(|run| run.publish).map(Run::publish_step));
        steps
    }
}

impl Run {
    fn step(&self) -> String {
        format!("run {}", self.id)
    }

    fn staff_step(&self) -> String {
        format!("staff {}", self.id)
    }

    fn publish_step(&self) -> String {
        format!("publish {}", self.id)
    }
}

fn rejected(member: &Member) -> Error {
    let message = format!(
        "expected an instructor that course-discovery has, found {}, who was refused",
        member.instructor
    );
    Error::permanent(ErrorKind::Refused, Stage::Push, message)
        .at(&member.pointer)
        .code("instructor-rejected")
}

fn waits_for(member: &Member, age: SignedDuration) -> Error {
    let after = Some(if age < SOON { WAITS } else { WAITS_LONG });
    let message = format!("waits for {}, who is on the staff", member.instructor);
    Error::new(ErrorKind::Waiting, Verdict::Retry { after }, Stage::Push, message).at(&member.pointer)
}
