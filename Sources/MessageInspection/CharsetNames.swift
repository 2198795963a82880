import InternetMessage

/// The charsets that are read, by the names that mail gives them.
///
/// A list, because the name comes from the sender: the C library would also load converters that are never used and
/// have been its weak point.
enum CharsetNames {
    /// The C library's name for `charset`; nil for one that is not in the list, such as `x-unknown`.
    static func iconvName(_ charset: String) -> String? {
        names[charset.asciiLowercased.filter { $0.isLetter || $0.isNumber }]
    }

    /// By the name in lower case, without punctuation.
    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for (name, aliases) in charsets {
            for alias in aliases.split(separator: " " as Character) { names[String(alias)] = name }
        }
        // Part 12 was never published. Parts 1, 9 and 11 are read as the Windows code pages that extend them, as
        // browsers do.
        for part in [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16] {
            names["iso8859\(part)"] = "ISO-8859-\(part)"
            names["8859\(part)"] = "ISO-8859-\(part)"
        }
        for page in 1250...1258 {
            for prefix in ["windows", "cp", "win", "xcp", "ms", ""] { names["\(prefix)\(page)"] = "CP\(page)" }
        }
        for page in [437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869] {
            for prefix in ["cp", "ibm", "dos", ""] { names["\(prefix)\(page)"] = "CP\(page)" }
        }
        return names
    }()

    private static let charsets: [(name: String, aliases: String)] = [
        ("CP1252", "iso88591 latin1 l1 88591 iso885911987 isoir100 csisolatin1 cp819 ibm819 xansi ansi"),
        ("CP1254", "iso88599 latin5 l5 88599 csisolatin5"),
        ("CP874", "iso885911 tis620 windows874 cp874 ibm874 xwindows874 dos874"),
        ("ISO-8859-2", "latin2 l2 csisolatin2"),
        ("ISO-8859-3", "latin3 l3 csisolatin3"),
        ("ISO-8859-4", "latin4 l4 csisolatin4"),
        ("ISO-8859-5", "cyrillic csisolatincyrillic"),
        ("ISO-8859-6", "arabic csisolatinarabic iso88596i iso88596e asmo708"),
        ("ISO-8859-7", "greek greek8 csisolatingreek elot928"),
        ("ISO-8859-8", "hebrew csisolatinhebrew iso88598i iso88598e visual logical"),
        ("ISO-8859-10", "latin6 l6 csisolatin6"),
        ("ISO-8859-15", "latin9 l9 latin0"),
        ("KOI8-R", "koi8r koi8 koi cskoi8r"),
        ("KOI8-U", "koi8u koi8ru"),
        ("MACINTOSH", "macintosh mac xmacroman macroman csmacintosh"),
        ("MAC-CYRILLIC", "xmaccyrillic maccyrillic"),
        (
            "GB18030",
            "gb18030 gb2312 gb23121980 gbk cp936 ms936 windows936 euccn xeuccn chinese csgb2312 gb231280 xgbk 936"
        ),
        ("BIG5-HKSCS", "big5 big5hkscs xxbig5 cnbig5 bigfive csbig5 cp950 ms950 windows950 950 big5hk"),
        ("EUC-TW", "euctw xeuctw"),
        (
            "CP932",
            "shiftjis sjis xsjis mskanji cp932 ms932 windows31j windows932 cswindows31j csshiftjis 932 ibm943 cp943"
        ),
        ("EUC-JP-MS", "eucjp xeucjp ujis eucjpms cseucpkdfmtjapanese"),
        ("ISO-2022-JP-2", "iso2022jp iso2022jp1 iso2022jp2 csiso2022jp csiso2022jp2 jis"),
        (
            "UHC",
            "euckr ksc56011987 ksc5601 ksc56011989 ks56011987 cp949 ms949 windows949 uhc korean cseuckr isoir149 949"
        ),
        ("ISO-2022-KR", "iso2022kr csiso2022kr"),
        ("JOHAB", "johab cp1361 ms1361"),
        ("VISCII", "viscii"),
        ("TCVN", "tcvn tcvn5712 tcvn57121"),
        ("UTF-8", "utf8 unicode11utf8 unicode20utf8 xunicode20utf8 utf8mb4 unicode11utf8"),
        ("UTF-16", "utf16 unicode ucs2 iso10646ucs2 csunicode"),
        ("UTF-16BE", "utf16be unicodefffe"),
        ("UTF-16LE", "utf16le"),
        ("UTF-32", "utf32 ucs4 iso10646ucs4"),
        ("UTF-32BE", "utf32be"),
        ("UTF-32LE", "utf32le"),
        ("UTF-7", "utf7 unicode11utf7 unicode20utf7"),
    ]
}
