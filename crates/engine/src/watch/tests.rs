use remit_domain::{Actor, AddPerson, Command, SignInMethod};

use super::*;
use crate::{Engine, Options, Setup};

/// A ledger of people, on short segments, so that some of it lies in each.
async fn crowd(data: &std::path::Path) -> Engine {
    let setup = Setup {
        trust_domain: "remit.test".to_owned(),
        issuer: "http://127.0.0.1:7470".to_owned(),
        administrator: "root".to_owned(),
        administrator_uid: Some(0),
        policies: Vec::new(),
    };
    let engine = Engine::open(Options { segment_bytes: 1 << 16, ..Options::new(data, setup) }).await.unwrap();
    let person = engine.read(|state| state.person_named("root").unwrap().id);
    for number in 0..600 {
        let actor = Actor::Person { person, method: SignInMethod::LocalSocket };
        let add = AddPerson { name: format!("person-{number}"), groups: Vec::new() };
        engine.submit(actor, Command::AddPerson(add)).await.unwrap();
    }
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn records_far_apart_are_read_each_and_in_the_order_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let engine = crowd(directory.path()).await;
    let (reader, head) = (&engine.inner.reader, engine.head());
    let all = read_records(reader, 0, head).unwrap();
    let wanted: [&[u64]; 6] = [
        &[],
        &[0],
        &[head - 1, head - 2, head - 3],
        &[head - 1, 500, 499, 497, 200, 0],
        &[head - 1, head - 1 - NEAR_RECORDS, head - 2 - 2 * NEAR_RECORDS],
        &[head + 7, head, head - 1],
    ];
    for newest_first in wanted {
        let found: Vec<u64> = read_each(reader, newest_first).unwrap().iter().map(|one| one.seq).collect();
        let committed: Vec<u64> = newest_first.iter().copied().filter(|seq| *seq < head).collect();
        assert_eq!(found, committed);
    }
    let every: Vec<u64> = (0..head).rev().collect();
    let found = read_each(reader, &every).unwrap();
    assert!(found.iter().rev().eq(&all), "each is the record itself");
    engine.close().await;
}
