public import InternetMessage

/// The charsets of mail: those of ``BuiltInCharsets``, and by the C library's iconv the others that mail is written in.
///
/// Safe to use from any thread.
public struct Charsets: CharsetDecoding {
    public init() {}

    /// - Parameter charset: A name as mail has it, such as `cp1252` or `ks_c_5601-1987`. GB 2312 is read as GB 18030,
    ///   which extends it, and ISO-8859-1 as windows-1252, because this is what mailers mean.
    /// - Returns: The text, with U+FFFD for what is invalid; nil for a charset that is not known, such as `x-unknown`.
    public func decode(_ octets: [UInt8], charset: String) -> String? {
        guard let name = CharsetNames.iconvName(charset) else {
            return BuiltInCharsets().decode(octets, charset: charset)
        }
        if name == "UTF-8" { return String(decoding: octets, as: UTF8.self) }
        guard let conversion = CharsetConversion(from: name) else {
            return BuiltInCharsets().decode(octets, charset: charset)
        }
        return conversion.text(of: octets)
    }
}

extension Charsets {
    /// Decodes text whose charset is not named or not known: as UTF-8 if it is valid, otherwise as windows-1252, which
    /// has a character for nearly every octet.
    func decodeUnnamed(_ octets: [UInt8]) -> String {
        String(validating: octets, as: UTF8.self) ?? decode(octets, charset: "windows-1252")
            ?? String(decoding: octets, as: UTF8.self)
    }
}
