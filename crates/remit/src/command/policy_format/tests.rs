use super::*;

#[test]
fn what_is_laid_out_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.cedar");
    fs::write(&file, "@id(\"one\") forbid(principal,action,resource)when{resource.risk>2};").unwrap();
    let change = || laid_out(folder.path(), &policy_files::read(folder.path()).unwrap()).unwrap();
    let [(path, text)] = change().try_into().unwrap();
    assert_eq!(path, file);
    fs::write(&file, &text).unwrap();
    assert!(change().is_empty());
}

#[test]
fn what_is_no_policy_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.cedar");
    fs::write(&file, "forbid (principal").unwrap();
    let failure = laid_out(&file, &policy_files::read(&file).unwrap()).unwrap_err();
    assert!(format!("{failure:?}").contains("one"), "{failure:?}");
}
