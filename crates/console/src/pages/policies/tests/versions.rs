use super::*;

/// Two versions of `probe`, the second approved by mia, and then its removal; the records that say so, newest first.
async fn versions(world: &World) -> Vec<u64> {
    set(world, Some(RULE), "the first").await;
    world.join("mia", &["administrators"]).await;
    let mia = world.viewer("mia").actor();
    for (text, reason) in [(Some(format!("// <i>more\n{RULE}")), "the second"), (None, "not needed")] {
        let change = set(world, text.as_deref(), reason).await.unwrap();
        world.engine.submit(mia.clone(), Command::ApproveChange { change }).await.unwrap();
    }
    let filter = remit_engine::Filter {
        kind: Some("PolicyActivated".to_owned()),
        artefacts: vec!["policy:probe".to_owned()],
        limit: 10,
        ..remit_engine::Filter::default()
    };
    world.engine.query(filter).await.unwrap().iter().map(|committed| committed.seq).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_says_who_wrote_it_who_agreed_and_where_it_is_on_record() {
    let world = World::new().await;
    let versions = versions(&world).await;
    let [removed, second, first] = versions[..] else { panic!("{versions:?}") };
    let root = world.sign_in("root").await;
    let page = world.get("/policies/probe/history", &root).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for seq in [removed, second, first] {
        for link in [format!("/policies/probe/diff?to={seq}\""), format!("/records/{seq}\"")] {
            assert!(page.body.contains(&link), "`{link}` is not on {}", page.body);
        }
    }
    let (newest, rest) = page.body.split_once("the second").unwrap();
    assert!(newest.contains("not needed") && newest.contains(">removed<"), "the newest first: {newest}");
    let row = rest.split("</tr>").next().unwrap();
    assert!(row.contains(">root<") && row.contains(">mia<") && row.contains("/changes/chg_"), "{row}");
    assert!(rest.contains("nobody had to"), "the first was made by the only administrator: {rest}");
    let older = world.get(&format!("/policies/probe/history?before={second}"), &root).await.body;
    assert!(!older.contains("the second") && older.contains(&format!("/records/{first}\"")), "{older}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_are_compared_line_by_line_also_of_what_was_removed() {
    let world = World::new().await;
    let versions = versions(&world).await;
    let [removed, second, first] = versions[..] else { panic!("{versions:?}") };
    let root = world.sign_in("root").await;
    let page = async |query: String| world.get(&format!("/policies/probe/diff{query}"), &root).await;
    let between = page(format!("?from={first}&to={second}")).await.body;
    assert!(between.contains("<ins>+ // &lt;i&gt;more</ins>") && !between.contains("<del>"), "{between}");
    let alone = page(format!("?to={second}")).await.body;
    assert!(
        alone.contains("<ins>+ // &lt;i&gt;more</ins>") && !alone.contains("<del>"),
        "what one version changed: {alone}"
    );
    let back = page(format!("?from={second}&to={first}")).await.body;
    assert!(back.contains("<del>- // &lt;i&gt;more</del>"), "{back}");
    let began = page(format!("?to={first}")).await.body;
    assert!(began.contains("before it was there") && began.contains("<ins>+ @id("), "{began}");
    for query in [String::new(), format!("?to={removed}")] {
        let gone = page(query).await.body;
        assert!(gone.contains("<del>- @id(") && gone.contains("its removal"), "{gone}");
    }
    // A record of something else is no version of it.
    assert_eq!(page("?to=0".to_owned()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(page("?to=nonsense".to_owned()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let text = world.get("/policies/probe", &root).await;
    assert!(text.status == StatusCode::OK && text.body.contains("this policy was removed"), "{}", text.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_was_is_for_those_who_read_records() {
    let world = World::new().await;
    versions(&world).await;
    world.join("aida", &["auditors"]).await;
    let (olga, aida) = (world.sign_in("olga").await, world.sign_in("aida").await);
    for address in ["/policies/probe/history", "/policies/probe/diff"] {
        assert_eq!(world.get(address, &olga).await.status, StatusCode::FORBIDDEN, "{address}");
        assert_eq!(world.get(address, &aida).await.status, StatusCode::OK, "{address}");
    }
    // Nor are they told that it was there.
    let [gone, never] = ["probe", "nothing"].map(|name| format!("/policies/{name}"));
    assert_eq!(world.get(&gone, &olga).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get(&gone, &aida).await.status, StatusCode::OK);
    assert_eq!(world.get(&never, &aida).await.status, StatusCode::NOT_FOUND);
}
