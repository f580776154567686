//! Numbers in arguments.

/// Returns a parser for whole numbers from `lowest` to `highest`.
pub fn number<T: TryFrom<u32>>(
    lowest: u32,
    highest: u32,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse::<u32>().ok().filter(|number| (lowest..=highest).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("must be a whole number from {lowest} to {highest}"))
    }
}
