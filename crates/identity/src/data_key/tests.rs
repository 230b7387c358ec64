use super::*;

#[test]
fn wraps_and_comes_back_for_the_same_subject_only() {
    let (kek, key) = (Kek::generate().unwrap(), DataKey::generate().unwrap());
    let wrapped = key.wrap(&kek, b"tsk_1").unwrap();
    let again = DataKey::unwrap(&kek, b"tsk_1", &wrapped).unwrap();
    let sealed = key.seal(b"content", b"prompt").unwrap();
    assert_eq!(again.open(b"content", &sealed).unwrap().as_slice(), b"prompt");
    assert_eq!(again.salt(), key.salt());
    assert_eq!(again.mac(b"m"), key.mac(b"m"));
    assert_eq!(DataKey::unwrap(&kek, b"tsk_2", &wrapped).unwrap_err(), SealError::Unopenable);
    assert_eq!(DataKey::unwrap(&Kek::generate().unwrap(), b"tsk_1", &wrapped).unwrap_err(), SealError::Unopenable);
    assert_eq!(again.open(b"other", &sealed).unwrap_err(), SealError::Unopenable);
}

#[test]
fn something_else_sealed_under_the_same_key_is_no_data_key() {
    let kek = Kek::generate().unwrap();
    let sealed = kek.seal(b"tsk_1", &[1; 32]).unwrap();
    assert_eq!(DataKey::unwrap(&kek, b"tsk_1", &sealed).unwrap_err(), SealError::Unopenable);
    let short = kek.seal(&[WRAP_PURPOSE, b"tsk_1"].concat(), &[1; 31]).unwrap();
    assert_eq!(DataKey::unwrap(&kek, b"tsk_1", &short).unwrap_err(), SealError::Unopenable);
}

#[test]
fn salts_differ_between_subjects_and_from_the_key() {
    let (one, two) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    assert_ne!(one.salt(), two.salt());
    assert_ne!(&one.salt(), one.0.expose());
    assert_eq!(format!("{one:?}"), "DataKey(secret)");
}
