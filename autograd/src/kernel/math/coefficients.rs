//! The polynomials of the elementary functions, one degree per element type.

/// `c0 + x (c1 + x (c2 + …))`.
macro_rules! polynomial {
    ($x:expr; $first:literal) => { $first };
    ($x:expr; $first:literal, $($rest:literal),+) => { $first + $x * polynomial!($x; $($rest),+) };
}

/// The polynomials, in the precision of each element type.
pub trait Coefficients: Sized {
    /// `(e^r − 1 − r) / r²` for `|r| ≤ ½ ln 2`.
    #[must_use]
    fn exp_tail(r: Self) -> Self;
    /// `(2 artanh(s) − 2s) / s³` as a function of `z = s²`, for `s ≤ (√2 − 1)²`.
    #[must_use]
    fn artanh_tail(z: Self) -> Self;
    /// The same for `s ≤ 1/3`.
    #[must_use]
    fn artanh_tail_wide(z: Self) -> Self;
    /// `(tanh(x) − x) / x³` as a function of `z = x²`, for `x ≤ 9/16`.
    #[must_use]
    fn tanh_tail(z: Self) -> Self;
}

/// `(3 artanh(s)/s − 3 − z) / z²` as a function of `z = s²`, for `s ≤ (√2 − 1)²`: error 2⁻⁶⁸ of the logarithm.
#[inline(always)]
#[rustfmt::skip]
pub(super) fn log2_tail(z: f64) -> f64 {
    polynomial!(z; 0.6, 0.428_571_428_571_478_1, 0.333_333_333_310_765_8, 0.272_727_277_311_209,
        0.230_768_735_678_927_42, 0.200_030_427_161_376_53, 0.175_405_164_147_325_85, 0.177_546_695_693_628_71)
}

impl Coefficients for f32 {
    /// Error 2⁻³⁰ of `e^r`.
    #[inline(always)]
    #[rustfmt::skip]
    fn exp_tail(r: f32) -> f32 {
        polynomial!(r; 0.5, 0.166_666_66, 0.041_666_366, 0.008_333_386, 0.001_394_034_8, 0.000_198_474_72)
    }

    /// Error 2⁻³¹ of the logarithm.
    #[inline(always)]
    fn artanh_tail(z: f32) -> f32 {
        polynomial!(z; 0.666_666_7, 0.400_003_02, 0.285_390_68, 0.235_532_05)
    }

    /// Error 2⁻³¹ of the logarithm.
    #[inline(always)]
    fn artanh_tail_wide(z: f32) -> f32 {
        polynomial!(z; 0.666_666_75, 0.399_989_3, 0.286_156_1, 0.214_402_08, 0.242_574_13)
    }

    /// Error 2⁻²⁷ of the hyperbolic tangent.
    #[inline(always)]
    fn tanh_tail(z: f32) -> f32 {
        polynomial!(z; -0.333_333_16, 0.133_324_85, -0.053_840_306, 0.021_017_848, -0.006_192_878_4)
    }
}

impl Coefficients for f64 {
    /// Error 2⁻⁶¹ of `e^r`.
    #[inline(always)]
    #[rustfmt::skip]
    fn exp_tail(r: f64) -> f64 {
        polynomial!(r; 0.5, 0.166_666_666_666_666_77, 0.041_666_666_666_666_526, 0.008_333_333_333_321_952,
            0.001_388_888_888_895_694_5, 0.000_198_412_698_853_945_58, 2.480_158_718_126_589_2e-5,
            2.755_724_488_354_944_5e-6, 2.755_739_626_020_887e-7, 2.510_881_988_280_659_5e-8,
            2.087_707_581_398_027e-9)
    }

    /// Error 2⁻⁵⁸ of the logarithm.
    #[inline(always)]
    #[rustfmt::skip]
    fn artanh_tail(z: f64) -> f64 {
        polynomial!(z; 0.666_666_666_666_669_8, 0.399_999_999_996_119_2, 0.285_714_287_038_625_7,
            0.222_222_021_396_566_55, 0.181_833_941_629_551_33, 0.153_180_966_966_105_42, 0.147_579_804_882_141_84)
    }

    /// Error 2⁻⁵⁸ of the logarithm.
    #[inline(always)]
    #[rustfmt::skip]
    fn artanh_tail_wide(z: f64) -> f64 {
        polynomial!(z; 0.666_666_666_666_664_2, 0.400_000_000_001_244_6, 0.285_714_285_513_345_93,
            0.222_222_237_811_197_38, 0.181_817_498_574_169_3, 0.153_864_452_155_161_98, 0.133_023_574_491_359_26,
            0.120_959_303_714_731_97, 0.083_815_880_683_173_04, 0.169_462_299_521_861_9)
    }

    /// Error 2⁻⁵⁹ of the hyperbolic tangent.
    #[inline(always)]
    #[rustfmt::skip]
    fn tanh_tail(z: f64) -> f64 {
        polynomial!(z; -0.333_333_333_333_332_87, 0.133_333_333_333_243_5, -0.053_968_253_962_294_356,
            0.021_869_488_340_975_417, -0.008_863_231_830_480_248, 0.003_592_083_960_856_116,
            -0.001_455_489_416_282_492_5, 0.000_588_219_670_204_696, -0.000_232_798_922_420_414_18,
            8.246_852_431_247_782e-5, -1.896_454_247_603_819_8e-5)
    }
}
