import DocumentKinds
import InternetMessage

/// The names and the media type by which a reader's machine chooses the program for a file.
///
/// A file that is signed in one form may show anything in another. A signature leaves out comments of an XML document,
/// parameters and unsigned attributes of a CMS, or data added to a PDF after it was signed. Programs that tolerate
/// surrounding text read them, above all those for HTML and PDF.
struct FileAssociations {
    /// Every name that some reader shows.
    let names: [ShownFileName]
    /// `type/subtype`, lower case.
    let mediaType: String
    /// True if one of the names holds a control character, apart from white space.
    private let holdsControlCharacter: Bool

    init(of entity: Entity, using charsets: some CharsetDecoding) {
        names = entity.shownFileNames(using: charsets)
        mediaType = entity.contentType.mediaType
        holdsControlCharacter = entity.everyFileName(using: charsets).contains(where: Self.holdsControlCharacter)
    }

    init(names: [String], mediaType: String) {
        self.names = names.map { ShownFileName($0) }
        holdsControlCharacter = names.contains(where: Self.holdsControlCharacter)
        self.mediaType = mediaType
    }

    /// Returns the reason why the file may be opened as something else than `form`, in words; nil if there is none.
    func objection(to form: SignedReading) -> String? {
        if holdsControlCharacter {
            return "its name holds a control character, at which some readers end it"
        }
        for ending in names.flatMap({ $0.endings.sorted() }) where Self.choosesProgram(ending) && !form.opens(ending) {
            return "its name ends in .\(ending), by which it may be opened as something other than what is signed"
        }
        guard let declared = Self.program(for: mediaType), declared != form.program else { return nil }
        return "its type is \(mediaType), by which it may be opened as something other than what is signed"
    }

    // MARK: - Names

    /// A NUL ends a name for whatever is written in C; what the others do, nobody can tell. White space is what folding
    /// leaves in a long name, and what stands above ASCII may be a charset that was not declared.
    private static func holdsControlCharacter(_ name: String) -> Bool {
        name.unicodeScalars.contains { scalar in
            (scalar.value < 0x20 || scalar.value == 0x7F) && ![0x09, 0x0A, 0x0D].contains(scalar.value)
        }
    }

    /// Returns true if a program may be chosen by it, unlike the `2` of `offer 1.2`.
    private static func choosesProgram(_ ending: String) -> Bool {
        guard (1...8).contains(ending.utf8.count), let first = ending.utf8.first, (0x61...0x7A).contains(first) else {
            return false
        }
        return ending.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    }

    // MARK: - Media types

    /// The program that opens a file, by what it is for.
    enum Program: Hashable {
        case cms
        case document(DocumentFormat)
        case other
    }

    /// nil where the type leaves it open, as application/octet-stream does.
    private static func program(for mediaType: String) -> Program? {
        let halves = mediaType.split(separator: "/", maxSplits: 1)
        guard halves.count == 2 else { return nil }
        let subtype = String(halves[1])
        if subtype.hasPrefix("pkcs7-") || subtype.hasPrefix("x-pkcs7-") || subtype == "cms" { return .cms }
        if let format = DocumentFormat.allCases.first(where: { $0.isDeclared(by: mediaType) }) {
            return .document(format)
        }
        let isOther =
            ["image", "audio", "video"].contains(halves[0]) || otherTypes.contains(subtype)
            || ["vnd.ms-", "vnd.openxmlformats-", "vnd.oasis."].contains { subtype.hasPrefix($0) }
        return isOther ? .other : nil
    }

    private static let otherTypes: Set<String> = [
        "html", "rtf", "msword", "zip", "x-zip-compressed", "java-archive", "javascript", "postscript",
    ]
}

extension SignedReading {
    fileprivate var program: FileAssociations.Program {
        switch self {
        case .cms: .cms
        case .document(let format): .document(format)
        case .ambiguous: .other
        }
    }

    /// Returns true if a file of this form is opened as such under a name with `ending`, or not opened at all.
    fileprivate func opens(_ ending: String) -> Bool {
        switch self {
        case .cms: Self.neutralEndings.contains(ending) || Self.cmsEndings.contains(ending)
        case .document(let format): Self.neutralEndings.contains(ending) || format.opens(ending)
        case .ambiguous: false
        }
    }

    private static let neutralEndings: Set<String> = ["bin", "dat"]
    private static let cmsEndings: Set<String> = [
        "p7m", "p7s", "p7c", "p7b", "p7", "pk7", "cms", "sig", "sign", "sgn", "der", "ber", "pem", "cades", "csig",
    ]
}
