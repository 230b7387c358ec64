use super::*;

#[test]
fn the_empty_tree_and_the_empty_leaf_hash_as_published() {
    assert_eq!(Hash::empty_root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(leaf_hash(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

#[test]
fn a_hash_reads_back_from_base64_and_json() {
    let hash = leaf_hash(b"entry");
    assert_eq!(Hash::from_base64(&hash.base64()), Ok(hash));
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{}\"", hash.base64()));
    assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    assert_eq!(Hash::try_from(hash.as_bytes().as_slice()), Ok(hash));
}

#[test]
fn only_one_spelling_of_a_hash_is_read() {
    let good = Hash::ZERO.base64();
    assert!(Hash::from_base64(good.trim_end_matches('=')).is_err(), "padding is required");
    assert!(Hash::from_base64(&good.replace("AA=", "AB=")).is_err(), "unused bits must be zero");
    assert!(Hash::from_base64(&format!("{good}\n")).is_err());
    assert_eq!(Hash::from_base64("AAAA"), Err(HashError::Length { bytes: 3 }));
    let long = "!".repeat(10_000);
    assert!(Hash::from_base64(&long).unwrap_err().to_string().len() < 200);
}
