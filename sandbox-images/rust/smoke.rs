// The rust image: compiles, links with mold, and checks for overflow.
use std::collections::BTreeMap;

fn main() {
    let counts = "abca".chars().fold(BTreeMap::new(), |mut seen, letter| {
        *seen.entry(letter).or_insert(0u8) += 1;
        seen
    });
    assert_eq!(counts[&'a'], 2);
    assert!(255u8.checked_add(counts[&'b']).is_none());
    println!("smoke ok");
}
