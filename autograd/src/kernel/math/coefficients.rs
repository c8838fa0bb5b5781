//! The polynomials of the elementary functions, one degree per element type.

/// `c0 + c1 x + c2 x² + …`, as `E(x²) + x O(x²)`: half the chain of dependent operations of Horner's scheme, and so a
/// seventh faster in a loop, for one multiplication more.
macro_rules! polynomial {
    ($x:expr; $($coefficient:literal),+) => { polynomial!(@ $x, [] []; $($coefficient),+) };
    (@ $x:expr, [$($even:literal)*] [$($odd:literal)*]; $a:literal, $b:literal $(, $rest:literal)*) => {
        polynomial!(@ $x, [$($even)* $a] [$($odd)* $b]; $($rest),*)
    };
    (@ $x:expr, [$($even:literal)*] [$($odd:literal)*]; $last:literal) => {
        polynomial!(@ $x, [$($even)* $last] [$($odd)*];)
    };
    (@ $x:expr, [$($even:literal)+] [$($odd:literal)+];) => {{
        let square = $x * $x;
        polynomial!(horner square; $($even),+) + $x * polynomial!(horner square; $($odd),+)
    }};
    (horner $x:expr; $first:literal) => { $first };
    (horner $x:expr; $first:literal, $($rest:literal),+) => {
        $first + $x * polynomial!(horner $x; $($rest),+)
    };
}
pub(super) use polynomial;

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
    /// `(w coth(w) − 1) / w²` as a function of `z = w²`, for `w ≤ 0.65`.
    #[must_use]
    fn coth_tail(z: Self) -> Self;
    /// `erf(x)/x − 1` as a function of `z = x²`, for `x ≤ 0.84`.
    #[must_use]
    fn erf_tail(z: Self) -> Self;
    /// `−ln erfc(x)` for `x ≥ 0.84`, until `erf(x)` is 1.
    #[must_use]
    fn minus_ln_erfc(x: Self) -> Self;
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

    /// Error 2⁻³⁰ of `w coth w`.
    #[inline(always)]
    fn coth_tail(z: f32) -> f32 {
        polynomial!(z; 0.333_333_28, -0.022_221_24, 0.002_109_281_5, -0.000_191_088_5)
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

    /// Error 2⁻²⁷ of the error function.
    #[inline(always)]
    #[rustfmt::skip]
    fn erf_tail(z: f32) -> f32 {
        polynomial!(z; 0.128_379_17, -0.376_125_75, 0.112_827_7, -0.026_804_572, 0.005_054_272,
            -0.000_633_261_05)
    }

    /// Error 2⁻²⁷ of the error function.
    #[inline(always)]
    #[rustfmt::skip]
    fn minus_ln_erfc(x: f32) -> f32 {
        polynomial!(x; 0.000_103_934_166, 1.128_062, 0.636_519_9, 0.104_522_64, -0.022_516_258,
            0.003_116_846_8, -0.000_203_543_26)
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

    /// Error 2⁻⁵⁷ of `w coth w`.
    #[inline(always)]
    #[rustfmt::skip]
    fn coth_tail(z: f64) -> f64 {
        polynomial!(z; 0.333_333_333_333_331_76, -0.022_222_222_222_101_52, 0.002_116_402_113_220_039,
            -0.000_211_640_171_026_307_64, 2.137_751_182_554_314e-5, -2.163_215_470_393_914_7e-6,
            2.163_852_197_976_327_6e-7, -1.840_848_661_017_502e-8)
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

    /// Error 2⁻⁵⁶ of the error function.
    #[inline(always)]
    #[rustfmt::skip]
    fn erf_tail(z: f64) -> f64 {
        polynomial!(z; 0.128_379_167_095_512_6, -0.376_126_389_031_837_5, 0.112_837_916_709_546_93,
            -0.026_866_170_645_018_95, 0.005_223_977_623_935_454, -0.000_854_832_690_409_071_8,
            0.000_120_553_269_804_963_81, -1.492_545_134_239_031_7e-5, 1.645_769_726_643_136_5e-6,
            -1.630_071_005_321_753_6e-7, 1.419_083_099_579_160_8e-8, -8.840_342_976_737_072e-10)
    }

    /// Error 2⁻⁵⁷ of the error function.
    #[inline(always)]
    #[rustfmt::skip]
    fn minus_ln_erfc(x: f64) -> f64 {
        polynomial!(x; 3.496_198_270_261_461e-8, 1.128_378_791_597_319_8, 0.636_621_600_834_433_4,
            0.102_767_334_536_160_22, -0.019_118_756_548_725_423, -0.000_220_056_718_429_653_82,
            0.001_700_385_341_454_621_5, -0.000_580_418_320_016_964_3, 2.302_204_418_455_695e-6,
            9.406_148_894_803_64e-5, -5.557_485_213_383_663e-5, 2.024_454_617_980_591_6e-5,
            -5.370_619_643_134_463e-6, 1.078_100_335_062_278_9e-6, -1.635_177_489_345_154_7e-7,
            1.824_887_843_992_724e-8, -1.417_059_426_923_627_6e-9, 6.844_345_646_720_897e-11,
            -1.548_397_567_712_666_6e-12)
    }
}
