use super::super::RefusalCode;
use super::text;

#[test]
fn what_takes_the_parser_long_is_refused() {
    let long = [
        format!("async x => {}x", "await ".repeat(2000)),
        format!("(x: any) => {}x", "x<".repeat(2000)),
        format!("(x: {}A) => x", "(a: A) => ".repeat(2000)),
        format!("(x: A extends {}A) => x", "infer U extends ".repeat(2000)),
    ];
    for source in &long {
        let refusal = text(source).unwrap_err();
        assert_eq!(
            refusal.code,
            RefusalCode::FunctionSource,
            "{}",
            &source[..40]
        );
    }
    assert!(
        text(&long[0])
            .unwrap_err()
            .message
            .contains("awaits too often")
    );
    // What people write stays possible, also as text.
    assert!(text(&format!("x => [{}]", "x < 1,".repeat(2000))).is_ok());
    assert!(text(&format!("async (x: any) => [{}]", "await x,".repeat(900))).is_ok());
}

#[test]
fn many_reads_are_no_constants() {
    let source = |count: usize| format!("async (x, s) => [{}]", "await s.get('k'),".repeat(count));
    assert!(text(&source(900)).unwrap().specialised.is_some());
    let reads = "s.get('k').then(x => x),".repeat(2000);
    let report = text(&format!("(x, s) => [{reads}]")).unwrap();
    assert!(report.specialised.is_none() && !report.short && report.uses_scope);
}

#[test]
fn captured_variables_have_their_places() {
    let refusal = text("x => {\n é; 'é😀'; b\n + c + b\n}").unwrap_err();
    let places = refusal.captured.iter();
    let places: Vec<_> = places
        .map(|it| (it.name.as_str(), it.line, it.column))
        .collect();
    assert_eq!(places, [("é", 2, 2), ("b", 2, 12), ("c", 3, 4)]);
}
