import PDFSignatures

/// Facts about a usable configuration that an administrator should know before it is used.
public struct ConfigurationCheck: Sendable {
    /// Settings that will not have the expected effect, each with advice.
    public private(set) var warnings: [String] = []

    /// Scripts, with some of their letters and Debian's package of a font for them.
    private static let scripts: [(name: String, letters: String, package: String)] = [
        ("Latin", "Aäßłő", "fonts-dejavu-core"), ("Greek", "Ωάδ", "fonts-dejavu-core"),
        ("Cyrillic", "ЖяЇ", "fonts-dejavu-core"), ("Hebrew", "שלם", "fonts-dejavu-core"),
        ("Arabic", "سلام", "fonts-dejavu-core"), ("Chinese", "中国東語", "fonts-droid-fallback"),
        ("Japanese", "日本のカナ", "fonts-droid-fallback"), ("Korean", "한국어", "fonts-nanum"),
        ("Devanagari", "हिन्दी", "fonts-noto-core"), ("Bengali", "বাংলা", "fonts-noto-core"),
        ("Tamil", "தமிழ்", "fonts-noto-core"), ("Thai", "ไทย", "fonts-noto-core"),
    ]

    /// - Parameter fontPath: Of the font that stamps are set in; nil for the usual one.
    public init(_ configuration: SigningServerConfiguration, fontPath: String? = nil) {
        let profiles = configuration.signingProfiles.values.filter { $0.format == .pdf || $0.format == .auto }
            .sorted { $0.id < $1.id }
        guard !profiles.isEmpty else { return }
        let signer: PDFSigner
        do throws(PDFError) { signer = try PDFSigner(fontPath: fontPath ?? PDFSigner.standardFontPath) } catch {
            warnings.append("PDFs cannot be signed: \(error.reason)")
            return
        }
        for script in Self.scripts {
            let missing = signer.missingCharacters(in: script.letters)
            guard !missing.isEmpty else { continue }
            warnings.append(
                "visible signatures: no font is installed for \(script.name)"
                    + " (\(Self.text(missing))); install \(script.package), or such text is shown as missing characters"
            )
        }
        for profile in profiles {
            let look = profile.pdf.look
            let texts = [
                look.signedBy, look.reason, look.location, look.date, profile.pdf.reason ?? "",
                profile.pdf.location ?? "",
            ]
            let missing = signer.missingCharacters(in: texts.joined(separator: " "))
            guard !missing.isEmpty else { continue }
            warnings.append(
                "signing profile \"\(profile.id)\": no installed font has the characters \(Self.text(missing)) of its texts"
            )
        }
        for (alias, name) in configuration.keys.names {
            let missing = signer.missingCharacters(in: name)
            guard !missing.isEmpty else { continue }
            warnings.append(
                "key \"\(alias)\": no installed font has the characters \(Self.text(missing)) of its owner's name")
        }
    }

    private static func text(_ characters: [Unicode.Scalar]) -> String {
        let shown = characters.prefix(12).map { String($0) }.joined(separator: " ")
        return shown + (characters.count > 12 ? " …" : "")
    }
}
