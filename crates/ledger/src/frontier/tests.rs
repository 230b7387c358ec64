use super::*;
use crate::leaf_hash;

/// The entries of the reference tree in the test data of the first Certificate Transparency implementation.
fn reference_entries() -> [&'static [u8]; 8] {
    [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ]
}

const REFERENCE_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_published_roots_of_one_to_eight_leaves_come_out() {
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), Hash::empty_root());
    for (entry, root) in reference_entries().iter().zip(REFERENCE_ROOTS) {
        frontier.push(leaf_hash(entry));
        assert_eq!(frontier.root().to_string(), root, "at size {}", frontier.size());
    }
}

/// RFC 6962 section 2.1, word for word: split at the largest power of two below the size.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

#[test]
fn every_root_agrees_with_the_definition() {
    let leaves: Vec<Hash> = (0u32..600).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let mut frontier = Frontier::default();
    for (index, leaf) in leaves.iter().enumerate() {
        frontier.push(*leaf);
        assert_eq!(frontier.root(), root_by_definition(&leaves[..=index]));
    }
}

#[test]
fn a_frontier_reads_back_and_goes_on_as_if_nothing_happened() {
    let mut whole: Frontier = (0u8..23).map(|n| leaf_hash(&[n])).collect();
    let mut resumed: Frontier = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
    assert_eq!(resumed, whole);
    whole.push(leaf_hash(b"next"));
    resumed.push(leaf_hash(b"next"));
    assert_eq!(resumed, whole);
    assert_eq!(whole.size(), 24);
}

#[test]
fn a_frontier_whose_parts_do_not_fit_is_refused() {
    let hash = Hash::ZERO.base64();
    for bad in [
        format!(r#"{{"size":2,"edge":["{hash}","{hash}"]}}"#),
        r#"{"size":1,"edge":[]}"#.to_owned(),
        format!(r#"{{"size":1,"edge":["{hash}"],"more":1}}"#),
        format!(r#"{{"size":18446744073709551615,"edge":[{}]}}"#, vec![format!("\"{hash}\""); 64].join(",")),
    ] {
        assert!(serde_json::from_str::<Frontier>(&bad).is_err(), "{bad}");
    }
}
