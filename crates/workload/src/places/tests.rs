use super::*;

#[test]
fn no_user_takes_all_places() {
    let places = Arc::new(Places::default());
    let mut pids = 1..;
    let mut enter = |uid| places.enter(uid, pids.next().unwrap());
    let own: Vec<Place> = (0..limits::CONNECTIONS_PER_USER_MAX).map(|_| enter(1_000).unwrap()).collect();
    assert!(enter(1_000).is_none());
    let roots: Vec<Place> = (own.len()..limits::CONNECTIONS_MAX).map(|_| enter(0).unwrap()).collect();
    assert!(enter(0).is_none() && enter(7).is_none());
    drop(own);
    assert!(enter(1_000).is_some());
    drop(roots);
    assert!(places.taken().by_user.is_empty() && places.taken().by_process.is_empty());
}

#[test]
fn no_process_takes_all_places() {
    let places = Arc::new(Places::default());
    let own: Vec<Place> = (0..limits::CONNECTIONS_PER_PROCESS_MAX).map(|_| places.enter(0, 42).unwrap()).collect();
    assert!(places.enter(0, 42).is_none());
    assert!(places.enter(0, 43).is_some());
    drop(own);
    assert!(places.enter(0, 42).is_some());
}
