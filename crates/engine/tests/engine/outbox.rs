//! Effects: carried out in order, again until they work, and across restarts.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use remit_domain::Event;
use remit_engine::{Committed, Effect};
use remit_testkit::World;

use crate::desk::{crowd, until};

/// Notes the people that were added; the first `failures` tries of each fail.
#[derive(Debug, Default)]
struct Notes {
    failures: usize,
    tries: Mutex<HashMap<u64, usize>>,
    done: Mutex<Vec<String>>,
}

impl Notes {
    fn failing(failures: usize) -> Arc<Self> {
        Arc::new(Self { failures, ..Self::default() })
    }

    fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }
}

impl Effect for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn concerns(&self, event: &Event) -> bool {
        matches!(event, Event::PersonAdded(_))
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let Event::PersonAdded(added) = &record.record.event else { panic!("{record:?}") };
            let mut tries = self.tries.lock().unwrap();
            let tried = tries.entry(record.seq).or_default();
            *tried += 1;
            if *tried <= self.failures {
                return Err("not now".to_owned());
            }
            self.done.lock().unwrap().push(added.name.clone());
            Ok(())
        })
    }
}

#[tokio::test]
async fn an_effect_is_tried_until_it_works_and_what_follows_waits() {
    let world = World::new().await;
    crowd(&world.engine, "before", 1).await;
    let notes = Notes::failing(2);
    world.engine.carry_out(notes.clone());
    // On this runtime nothing has run in between: what is committed from here on is owed all the same.
    crowd(&world.engine, "person", 3).await;
    until("all are noted", async || notes.done().len() >= 3).await;
    assert_eq!(notes.done(), ["person-0", "person-1", "person-2"]);
    assert!(notes.tries.lock().unwrap().values().all(|tries| *tries == 3));
}

#[tokio::test]
async fn an_effect_goes_on_where_it_was() {
    let mut world = World::new().await;
    let notes = Notes::failing(0);
    world.engine.carry_out(notes.clone());
    crowd(&world.engine, "first", 2).await;
    until("the first are noted", async || notes.done().len() == 2).await;
    world.reopen().await;
    crowd(&world.engine, "unheard", 2).await;
    let notes = Notes::failing(0);
    world.engine.carry_out(notes.clone());
    crowd(&world.engine, "last", 1).await;
    until("the rest is noted", async || notes.done().contains(&"last-0".to_owned())).await;
    // What was noted last before the end may come twice; nothing is left out.
    let done = notes.done();
    assert!(done.ends_with(&["unheard-0", "unheard-1", "last-0"].map(str::to_owned)), "{done:?}");
    assert!(!done.contains(&"first-0".to_owned()), "{done:?}");
}

#[tokio::test]
async fn an_effect_that_never_got_to_work_is_not_new_after_a_restart() {
    let mut world = World::new().await;
    let notes = Notes::failing(usize::MAX);
    world.engine.carry_out(notes.clone());
    crowd(&world.engine, "owed", 2).await;
    until("it was tried", async || !notes.tries.lock().unwrap().is_empty()).await;
    world.reopen().await;
    let notes = Notes::failing(0);
    world.engine.carry_out(notes.clone());
    until("it is done", async || notes.done().len() == 2).await;
    assert_eq!(notes.done(), ["owed-0", "owed-1"]);
}
