//! The IDX file format, in which MNIST and its relatives are published.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::error::{DataError, IdxError};
use crate::file::write_atomically;

const UNSIGNED_BYTE: u8 = 0x08;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Memory is asked for in steps of at most this or of what has already arrived, whichever is more.
const STEP: u64 = 1 << 16;

/// An array of unsigned bytes of any number of dimensions, and its file format.
///
/// The file: two zero bytes, the element type (0x08, unsigned byte, is the only one read), the number of dimensions,
/// the dimensions as big-endian `u32`, the elements with the last dimension running fastest. Files that begin with
/// the magic bytes of gzip are decompressed, whatever their name.
///
/// What a header announces is believed only up to [`Idx::LIMIT`], and memory grows with the bytes that really
/// arrive: a damaged, truncated or lying file is an error, not a crash.
///
/// ```
/// use nn::data::Idx;
/// let image = Idx::new(vec![1, 2, 3], vec![0, 1, 2, 3, 4, 5])?;
/// let bytes = image.to_bytes();
/// assert_eq!(bytes[..8], [0, 0, 8, 3, 0, 0, 0, 1]);
/// assert_eq!(Idx::parse(&bytes)?, image);
/// # Ok::<(), nn::error::IdxError>(())
/// ```
///
/// # References
/// Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998, "File formats".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    dimensions: Vec<usize>,
    data: Vec<u8>,
}

impl Idx {
    /// The most bytes that are read from a file after decompression, header included: 4 GiB, five million images of
    /// 28 x 28.
    pub const LIMIT: u64 = 1 << 32;

    /// An array of these dimensions.
    ///
    /// # Errors
    /// [`IdxError::WrongLength`] if `data` does not fill them, or a dimension or their number does not fit the format.
    pub fn new(dimensions: Vec<usize>, data: Vec<u8>) -> Result<Self, IdxError> {
        let product = dimensions.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        let writable = dimensions.len() <= 255 && dimensions.iter().all(|&n| u32::try_from(n).is_ok());
        if writable && product == Some(data.len()) {
            Ok(Self { dimensions, data })
        } else {
            Err(IdxError::WrongLength { dimensions, found: data.len() })
        }
    }

    /// Reads a file, plain or gzip.
    ///
    /// # Errors
    /// [`DataError::Io`] if it cannot be opened, [`DataError::Idx`] if it is not a whole IDX file of unsigned bytes.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        Self::from_reader(BufReader::with_capacity(1 << 16, file))
            .map_err(|source| DataError::Idx { path: path.to_owned(), source })
    }

    /// Reads the bytes of a file, plain or gzip.
    ///
    /// # Errors
    /// If they are not a whole IDX file of unsigned bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, IdxError> {
        Self::from_reader(bytes)
    }

    fn from_reader(mut reader: impl BufRead) -> Result<Self, IdxError> {
        if reader.fill_buf()?.starts_with(&GZIP_MAGIC) {
            Self::from_plain(MultiGzDecoder::new(reader))
        } else {
            Self::from_plain(reader)
        }
    }

    fn from_plain(mut reader: impl Read) -> Result<Self, IdxError> {
        let magic = read_at_most(&mut reader, 4)?;
        let &[0, 0, element, count] = magic.as_slice() else {
            return Err(IdxError::NotIdx { magic });
        };
        if element != UNSIGNED_BYTE {
            return Err(IdxError::WrongElementType { found: element });
        }
        let header = 4 + 4 * u64::from(count);
        let sizes = read_at_most(&mut reader, header - 4)?;
        let found = 4 + sizes.len() as u64;
        if found < header {
            return Err(IdxError::Truncated { expected: header, found });
        }
        let (dimensions, expected) = announced(&sizes, header)?;
        let data = read_at_most(&mut reader, expected - header)?;
        let found = header + data.len() as u64;
        if found < expected {
            return Err(IdxError::Truncated { expected, found });
        }
        // Reading on also makes the decompressor compare its checksum, which must not be missing.
        if reader.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(IdxError::TrailingBytes { expected });
        }
        Ok(Self { dimensions, data })
    }

    /// The bytes of the file, not compressed.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "`new` and the format keep each below 2³² and them below 256")]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0, 0, UNSIGNED_BYTE, self.dimensions.len() as u8];
        for &n in &self.dimensions {
            bytes.extend((n as u32).to_be_bytes());
        }
        bytes.extend(&self.data);
        bytes
    }

    /// Writes a file; compressed if its name ends in `.gz`. An existing file is replaced as a whole.
    ///
    /// # Errors
    /// [`DataError::Io`] if that fails.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let path = path.as_ref();
        let compressed = path.extension().is_some_and(|extension| extension == "gz");
        let bytes = if compressed { self.to_gzip() } else { Ok(self.to_bytes()) };
        bytes
            .and_then(|bytes| write_atomically(path, &bytes))
            .map_err(|source| DataError::Io { path: path.to_owned(), source })
    }

    fn to_gzip(&self) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.to_bytes())?;
        encoder.finish()
    }

    /// The dimensions, the slowest first.
    #[must_use]
    pub fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// The elements.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The elements, without a copy.
    #[must_use]
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

/// The dimensions in a header, and the bytes of the whole file that they announce.
fn announced(sizes: &[u8], header: u64) -> Result<(Vec<usize>, u64), IdxError> {
    let sizes = sizes.as_chunks::<4>().0.iter().map(|&size| u32::from_be_bytes(size));
    let product = sizes.clone().try_fold(1_u64, |product, n| product.checked_mul(u64::from(n)));
    let dimensions: Vec<usize> = sizes.map(|n| n as usize).collect();
    let total = product.and_then(|product| product.checked_add(header));
    match total.filter(|&total| total <= Idx::LIMIT && usize::try_from(total).is_ok()) {
        Some(total) => Ok((dimensions, total)),
        None => Err(IdxError::TooLarge { dimensions, limit: Idx::LIMIT }),
    }
}

/// Reads `limit` bytes, or fewer if there are no more; never holds more than twice what has arrived, plus a step.
fn read_at_most(reader: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let arrived = bytes.len() as u64;
        let step = arrived.max(STEP).min(limit - arrived);
        // A step is at most `limit`, which `announced` has found to fit.
        bytes.try_reserve_exact(usize::try_from(step).unwrap_or(usize::MAX))?;
        let read = reader.by_ref().take(step).read_to_end(&mut bytes);
        match read {
            Ok(read) if step > 0 && read as u64 == step => {}
            Ok(_) => return Ok(bytes),
            // The file ends within its compressed data: what came before it counts.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(bytes),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `left` zeros, and notes the largest buffer that it was asked to fill.
    struct Zeros {
        left: usize,
        largest: usize,
    }

    impl Read for Zeros {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.largest = self.largest.max(buffer.len());
            let n = buffer.len().min(self.left);
            buffer[..n].fill(0);
            self.left -= n;
            Ok(n)
        }
    }

    #[test]
    fn memory_grows_with_what_arrives_not_with_what_is_announced() {
        for arriving in [0, 100, 1 << 16, 1 << 20] {
            let mut reader = Zeros { left: arriving, largest: 0 };
            let bytes = read_at_most(&mut reader, Idx::LIMIT).unwrap();
            let bound = 2 * arriving + usize::try_from(STEP).unwrap();
            assert_eq!(bytes.len(), arriving);
            assert!(reader.largest <= bound && bytes.capacity() <= bound, "{} {}", reader.largest, bytes.capacity());
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let error = |bytes: &[u8]| Idx::parse(bytes).unwrap_err().to_string();
        assert!(error(b"").starts_with("not an IDX file"));
        assert!(error(b"PNG").ends_with("begins with [50, 4e, 47]"));
        assert_eq!(
            error(&[0, 0, 0x0d, 1, 0, 0, 0, 0]),
            "the elements are 32-bit floats (0x0d), only unsigned bytes (0x08) are read"
        );
        assert_eq!(error(&[0, 0, 8, 2, 0, 0]), "truncated: the header announces 12 bytes, the file holds 6");
        assert_eq!(error(&[0, 0, 8, 1, 0, 0, 0, 3, 7]), "truncated: the header announces 11 bytes, the file holds 9");
        assert_eq!(
            error(&[0, 0, 8, 1, 0, 0, 0, 1, 7, 7]),
            "there is more in the file than the 9 bytes that its header announces"
        );
        let huge = [[0, 0, 8, 3].as_slice(), &[255; 12]].concat();
        assert_eq!(
            error(&huge),
            "dimensions [4294967295, 4294967295, 4294967295] announce more than the limit of 4294967296 bytes"
        );
    }

    #[test]
    fn an_array_that_does_not_fill_its_dimensions_is_refused() {
        assert!(Idx::new(vec![2, 3], vec![0; 5]).is_err());
        assert!(Idx::new(vec![usize::MAX, 2], vec![]).is_err());
        assert!(Idx::new(vec![1; 256], vec![0]).is_err());
        assert!(Idx::new(vec![], vec![9]).is_ok());
        assert!(Idx::new(vec![0, 7], vec![]).is_ok());
    }

    #[test]
    fn gzip_is_recognised_by_its_content_and_checked() {
        let idx = Idx::new(vec![3, 50], (0..150).collect()).unwrap();
        let packed = idx.to_gzip().unwrap();
        assert_eq!(Idx::parse(&packed).unwrap(), idx);
        for end in 2..packed.len() {
            assert!(Idx::parse(&packed[..end]).is_err(), "the first {end} bytes");
        }
        let mut damaged = packed.clone();
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        assert!(matches!(Idx::parse(&damaged), Err(IdxError::Read { .. })));
    }
}
