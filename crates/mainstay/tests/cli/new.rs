//! `mainstay new`
use crate::support::Project;

#[test]
fn every_template_is_a_sound_project() {
    let [skillmap, tracker, shop] = ["skillmap", "tracker", "shop"].map(|name| ["--template", name]);
    for (arguments, collections) in
        [(&[][..], 2), (&["--empty"][..], 0), (&skillmap[..], 4), (&tracker[..], 6), (&shop[..], 5)]
    {
        let project = Project::empty();
        let said = project.ok(&[&["new", "app"], arguments].concat());
        assert!(said.contains("mainstay dev"), "{said}");
        let (code, checked) = project.json(&["check", "--project", "app"]);
        assert_eq!(code, Some(0), "{arguments:?}: {checked}");
        assert_eq!(checked["collections"].as_array().unwrap().len(), collections);
        assert_eq!(project.read("app/.gitignore"), "data/\n");
    }
}

#[test]
fn the_small_one_fits_a_screen_and_has_an_owner_rule() {
    let project = Project::empty();
    project.ok(&["new", "app"]);
    let schema = project.read("app/schema.graphql");
    assert!(schema.lines().count() <= 24, "{schema}");
    assert!(schema.contains("owner == auth.id"));
}

#[test]
fn a_folder_that_is_in_use_is_left_alone() {
    let project = Project::with_schema("type A { b: String }");
    let ran = project.run(&["new", "."]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("error: the folder \".\" is not empty"), "{}", ran.stderr);
    assert_eq!(project.read("schema.graphql"), "type A { b: String }");
}

#[test]
fn without_a_project_the_way_to_one_is_shown() {
    for command in ["check", "dev"] {
        let ran = Project::empty().run(&[command]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains("error: there is no schema.graphql here"), "{}", ran.stderr);
        assert!(ran.stderr.contains("mainstay new NAME"), "{}", ran.stderr);
    }
}
