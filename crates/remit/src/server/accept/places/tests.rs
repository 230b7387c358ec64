use super::{CONNECTIONS_OF_ONE_MAX, Places};

#[tokio::test]
async fn one_address_cannot_take_every_place() {
    let places = Places::default();
    let take = async |address: &str| {
        let room = places.room().await.expect("there is room");
        places.take(room, address.parse().expect("an address"))
    };
    let mut held = Vec::new();
    for index in 0..CONNECTIONS_OF_ONE_MAX {
        held.push(take(&format!("2001:db8::{index:x}")).await.expect("a place"));
    }
    assert!(take("2001:db8::ffff:1").await.is_none(), "the same network");
    let others = (take("2001:db8:0:1::1").await, take("192.0.2.1").await, take("::ffff:192.0.2.1").await);
    assert!(others.0.is_some() && others.1.is_some() && others.2.is_some());
    assert_eq!(places.taken.lock().unwrap().len(), 3, "however an address is written");
    held.pop();
    assert!(take("2001:db8::ffff:1").await.is_some());
    drop((held, others));
    assert!(places.taken.lock().unwrap().is_empty(), "nothing is kept about who has gone");
    assert_eq!(places.free.available_permits(), super::CONNECTIONS_MAX);
}
