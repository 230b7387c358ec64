use super::*;

#[test]
fn the_published_example_reads_and_writes_back() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let checkpoint: Checkpoint = text.parse().unwrap();
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.to_string(), text);
}

#[test]
fn what_is_not_exactly_a_checkpoint_is_refused() {
    let root = Hash::ZERO.base64();
    let cases = [
        (String::new(), CheckpointError::Lines),
        (format!("log\n1\n{root}"), CheckpointError::Lines),
        (format!("log\n1\n{root}\nextension\n"), CheckpointError::Lines),
        (format!("log\n1\n{root}\n\n"), CheckpointError::Lines),
        (format!("\n1\n{root}\n"), CheckpointError::Origin),
        (format!("l\tog\n1\n{root}\n"), CheckpointError::Origin),
        (format!("{}\n1\n{root}\n", "l".repeat(256)), CheckpointError::Origin),
        (format!("log\n01\n{root}\n"), CheckpointError::Size),
        (format!("log\n+1\n{root}\n"), CheckpointError::Size),
        (format!("log\n-1\n{root}\n"), CheckpointError::Size),
        (format!("log\n\n{root}\n"), CheckpointError::Size),
        (format!("log\n9223372036854775808\n{root}\n"), CheckpointError::Size),
        ("log\n1\nAAAA\n".to_owned(), CheckpointError::Root),
        (format!("log\n1\n{root}=\n"), CheckpointError::Root),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Checkpoint>(), Err(error), "{text:?}");
    }
}
