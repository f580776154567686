//! Whole numbers among the arguments.

/// A whole number from `lowest` to `highest`.
pub fn number<T: TryFrom<u32>>(
    lowest: u32,
    highest: u32,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse::<u32>().ok().filter(|it| (lowest..=highest).contains(it));
        let number = number.and_then(|it| T::try_from(it).ok());
        number.ok_or_else(|| format!("it must be a whole number from {lowest} to {highest}"))
    }
}
