//! IDX files: whatever the bytes are, reading them ends in an array or in an error.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use nn::data::Idx;
use nn::error::{DataError, IdxError};
use proptest::collection::vec;
use proptest::prelude::*;

fn arrays() -> impl Strategy<Value = Idx> {
    vec(0_usize..5, 0..5).prop_flat_map(|dimensions| {
        let length = dimensions.iter().product::<usize>();
        vec(any::<u8>(), length).prop_map(move |data| Idx::new(dimensions.clone(), data).unwrap())
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reading succeeds only with an array that is no larger than what was there.
fn reads_or_refuses(bytes: &[u8]) {
    const DEFLATE_RATIO: usize = 1032;
    if let Ok(idx) = Idx::parse(bytes) {
        assert_eq!(idx.data().len(), idx.dimensions().iter().product::<usize>());
        assert!(idx.data().len() <= bytes.len() * DEFLATE_RATIO);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(idx in arrays()) {
        prop_assert_eq!(&Idx::parse(&idx.to_bytes()).unwrap(), &idx);
        prop_assert_eq!(&Idx::parse(&gzip(&idx.to_bytes())).unwrap(), &idx);
    }

    #[test]
    fn random_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        reads_or_refuses(&bytes);
        reads_or_refuses(&gzip(&bytes));
    }

    #[test]
    fn lying_headers_are_refused_without_the_memory_they_announce(sizes in vec(any::<u32>(), 1..6)) {
        let mut bytes = vec![0, 0, 8, u8::try_from(sizes.len()).unwrap()];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        reads_or_refuses(&bytes);
        reads_or_refuses(&gzip(&bytes));
    }

    #[test]
    fn mutated_files_are_read_or_refused(
        idx in arrays(),
        compressed in any::<bool>(),
        places in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = if compressed { gzip(&idx.to_bytes()) } else { idx.to_bytes() };
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        reads_or_refuses(&bytes);
        reads_or_refuses(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn a_file_cut_short_or_continued_is_an_error(idx in arrays(), cut in any::<prop::sample::Index>(), more in any::<u8>()) {
        let mut bytes = idx.to_bytes();
        prop_assert!(Idx::parse(&bytes[..cut.index(bytes.len())]).is_err());
        bytes.push(more);
        let refused = matches!(Idx::parse(&bytes), Err(IdxError::TrailingBytes { .. }));
        prop_assert!(refused);
    }
}

#[test]
fn a_gzip_bomb_is_not_unpacked() {
    // 1 GiB of zeros behind a header that announces three bytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&[0, 0, 8, 1, 0, 0, 0, 3]).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(matches!(Idx::parse(&bomb), Err(IdxError::TrailingBytes { expected: 11 })));
}

#[test]
fn files_are_written_plain_or_compressed_and_errors_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let idx = Idx::new(vec![2, 2], vec![1, 2, 3, 4]).unwrap();
    for name in ["plain-idx2-ubyte", "packed-idx2-ubyte.gz"] {
        let path = folder.path().join(name);
        idx.write(&path).unwrap();
        assert_eq!(Idx::read(&path).unwrap(), idx);
    }
    assert_eq!(std::fs::read(folder.path().join("plain-idx2-ubyte")).unwrap(), idx.to_bytes());

    let absent = folder.path().join("absent");
    let error = Idx::read(&absent).unwrap_err();
    assert!(matches!(&error, DataError::Io { path, .. } if *path == absent));
    assert!(error.to_string().starts_with(&*absent.to_string_lossy()));

    let damaged = folder.path().join("damaged");
    std::fs::write(&damaged, b"nothing of the kind").unwrap();
    let error = Idx::read(&damaged).unwrap_err();
    assert!(matches!(&error, DataError::Idx { path, source: IdxError::NotIdx { .. } } if *path == damaged));
    assert!(Idx::read(folder.path()).is_err(), "a folder");
}
