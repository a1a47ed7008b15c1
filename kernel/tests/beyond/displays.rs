//! What cells show.

use crate::SHOW;
use crate::notebook::{Notebook, mime};

#[test]
fn contents_printed_in_a_loop_are_separate_displays() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let ran = n.run(r#"for i in 0..2 { show(&[("text/html", &format!("<b>{i}</b>"))]); }"#);
    let html: Vec<String> = ran.displays().into_iter().map(|data| mime(data, "text/html")).collect();
    assert_eq!(html, ["<b>0</b>", "<b>1</b>"]);
    assert_eq!(ran.stdout(), "");
    assert_eq!(ran.result(), None);
}

#[test]
fn contents_of_several_formats_in_direct_succession_are_one_display() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let ran = n.run(
        r#"for i in 0..2 { show(&[("text/html", &format!("<b>{i}</b>")), ("text/plain", &format!("{i}\n!"))]); }"#,
    );
    let both: Vec<_> =
        ran.displays().into_iter().map(|data| (mime(data, "text/html"), mime(data, "text/plain"))).collect();
    assert_eq!(both, [("<b>0</b>".into(), "0\n!".into()), ("<b>1</b>".into(), "1\n!".into())]);
}

#[test]
fn text_printed_between_contents_separates_them() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let code =
        r#"show(&[("text/html", "<i>a</i>")]); println!("between"); show(&[("text/plain", "b")]); println!("after");"#;
    let ran = n.run(code);
    assert_eq!(ran.displays().len(), 2);
    assert_eq!(ran.stdout(), "between\nafter\n");
    assert_eq!(ran.said(), "between\nbafter\n", "not in the order in which it was printed");
}

#[test]
fn an_empty_content_and_an_image_arrive_as_they_are() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let ran = n.run(r#"show(&[("image/png", "iVBORw0KGgo=")]); println!("-"); show(&[("text/html", "")]);"#);
    assert_eq!(mime(ran.displays()[0], "image/png"), "iVBORw0KGgo=");
    assert!(ran.displays()[1].contains_key("text/html"));
}

#[test]
fn a_value_that_displays_itself_is_the_result() {
    let mut n = Notebook::new();
    n.run(SHOW);
    n.run(
        r#"
        struct Tune { name: String }
        impl Tune {
            pub fn evcxr_display(&self) {
                show(&[("text/html", &format!("<b>{}</b>", self.name)), ("text/plain", &self.name)]);
            }
        }
        let tune = Tune { name: "blue".to_string() };
    "#,
    );
    for code in ["tune", "&tune", "Tune { name: tune.name.clone() }"] {
        let ran = n.run(code);
        let data = ran.result().unwrap_or_else(|| panic!("no result of {code}: {ran:?}"));
        assert_eq!((mime(data, "text/html"), mime(data, "text/plain")), ("<b>blue</b>".into(), "blue".into()));
        assert!(ran.displays().is_empty());
    }
    assert_eq!(n.names(), "tune", "it was moved");
    assert!(n.run("tune.evcxr_display();").result().is_none(), "what a statement shows is no result");
}

#[test]
fn a_plain_value_is_shown_by_debug() {
    let mut n = Notebook::new();
    assert_eq!(n.value(r#"("a\n", 'c', 1.0, [Some(1u8)])"#), r#"("a\n", 'c', 1.0, [Some(1)])"#);
    n.run("let list = vec![1, 2];");
    assert_eq!(n.value("list"), "[1, 2]");
    assert_eq!(n.value("&list[..1]"), "[1]");
    assert_eq!(n.value("list.iter().map(|i| i * 2).collect::<Vec<i32>>()"), "[2, 4]");
    assert_eq!(n.names(), "list");
}

#[test]
fn nothing_is_shown_of_a_unit() {
    let mut n = Notebook::new();
    for code in ["()", "if true {}", "for _ in 0..3 {}", "{ let _a = 1; }", "let x = 1;", "std::mem::drop(1)"] {
        assert!(n.run(code).is_silent(), "{code}");
    }
}

#[test]
fn a_value_without_debug_shows_its_type() {
    let mut n = Notebook::new();
    n.run("struct Opaque(i32); let opaque = Opaque(1);");
    assert!(n.value("opaque").contains("Opaque"));
    assert!(n.value("Some(Opaque(2))").contains("Option<Opaque>"));
    assert_eq!(n.value("opaque.0"), "1");
}
