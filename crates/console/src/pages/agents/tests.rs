use crate::world::{Page, World};

mod life;
mod list;
mod pages;
mod register;

/// What `cookie` sends to the form at `path`.
async fn send(world: &World, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Page {
    let token = world.get("/agents", cookie).await.field("form_token");
    let mut all = vec![("form_token", token.as_str())];
    all.extend_from_slice(fields);
    world.post(path, cookie, &all).await
}

fn has(page: &Page, parts: &[&str]) {
    for part in parts {
        assert!(page.body.contains(part), "`{part}` is not on {}", page.body);
    }
}

fn has_not(page: &Page, parts: &[&str]) {
    for part in parts {
        assert!(!page.body.contains(part), "`{part}` is on {}", page.body);
    }
}
