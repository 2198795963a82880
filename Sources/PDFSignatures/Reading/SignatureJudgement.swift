import Octets
import PDFStructure

/// Judges one signature dictionary (ISO 32000-1 §12.8.1, table 252) and its byte range.
struct SignatureJudgement {
    let file: PDFFile
    let field: FilledField
    /// The object that the dictionary is, or is written in.
    let home: IndirectObject
    let dictionary: PDFDictionary
    var signature: PDFSignature

    mutating func run(_ values: Set<Int>, isCertification: Bool) throws(PDFSyntaxError) {
        if dictionary.hasDuplicates { signature.isInvalid("the signature dictionary has a key twice") }
        readTexts()
        readKind()
        let rules = try readTransforms(isCertification: isCertification)
        guard let end = readRange() else { return }
        signature.revisionLength = end
        // Transports and editors add line ends behind a file. White space holds nothing (ISO 32000-1 §7.2.2).
        signature.coversWholeFile = file.firstInk(in: end..<file.document.count) == nil
        let revision: Int
        do throws(PDFSyntaxError) {
            revision = try file.revision(endingAt: end)
        } catch {
            guard error.kind == .damaged else { throw error }
            signature.isInvalid("the byte range does not end where a revision of the document ends: \(error.reason)")
            return
        }
        guard try belongs(to: revision) else { return }
        guard !signature.coversWholeFile else { return }
        guard revision > 0 else {
            signature.isInvalid("octets follow the signed revision that are no update of the document")
            return
        }
        var review = ChangeReview(file: file, revision: revision, end: end, signatures: values, rules: rules)
        for fault in try review.faults() { signature.isInvalid("changed after signing: \(fault)") }
        for doubt in review.doubts { signature.findings.append(PDFFinding(.indeterminate, doubt)) }
    }

    // MARK: What it says of itself

    private mutating func readTexts() {
        // They are encrypted in an encrypted document.
        guard file.sections[0].trailer["Encrypt"] == .null else { return }
        func text(_ key: String) -> String? { dictionary[key].string.map { PDFText.text($0.octets) } }
        signature.signerName = text("Name")
        signature.reason = text("Reason")
        signature.location = text("Location")
        signature.contactInfo = text("ContactInfo")
        signature.claimedTime = dictionary["M"].string.flatMap { PDFText.date($0.octets) }
    }

    private mutating func readKind() {
        let type = dictionary["Type"] == .null ? "Sig" : dictionary["Type"].name
        signature.subFilter = dictionary["SubFilter"].name
        signature.isDocumentTimestamp = signature.subFilter == "ETSI.RFC3161"
        // Some writers call a timestamp a signature; what it is verified as is said by /SubFilter.
        if type != "Sig", !(signature.isDocumentTimestamp && type == "DocTimeStamp") {
            signature.isInvalid("the /Type of the signature does not fit its /SubFilter")
        }
        switch signature.subFilter {
        case "ETSI.CAdES.detached", "adbe.pkcs7.detached", "ETSI.RFC3161": break
        case "adbe.pkcs7.sha1":
            // The CMS encloses a SHA-1 digest of the document: no more than that is signed.
            signature.findings.append(
                PDFFinding(.indeterminate, "the signature is of the kind adbe.pkcs7.sha1, which rests on SHA-1"))
        case let other:
            signature.findings.append(
                PDFFinding(.indeterminate, "a signature of the kind \(other ?? "(none)") cannot be verified here"))
        }
    }

    /// The /Reference array (§12.8.2): what a certification allows, and which fields are locked.
    private mutating func readTransforms(isCertification: Bool) throws(PDFSyntaxError) -> ChangeReview.Rules {
        var rules = ChangeReview.Rules()
        if isCertification { signature.certificationLevel = 2 }
        for item in try file.resolved(dictionary["Reference"], in: 0).array ?? [] {
            guard let reference = try file.resolved(item, in: 0).dictionary else { continue }
            let parameters = try file.resolved(reference["TransformParams"], in: 0).dictionary ?? PDFDictionary()
            switch reference["TransformMethod"].name {
            case "DocMDP":
                let level = parameters["P"] == .null ? 2 : try file.resolved(parameters["P"], in: 0).integer
                guard let level, (1...3).contains(level) else {
                    signature.isInvalid("the certification says what it allows in no known way")
                    continue
                }
                signature.certificationLevel = min(level, signature.certificationLevel ?? level)
            case "FieldMDP": rules.locks.append(try lock(parameters))
            default: break
            }
        }
        // The least is what both say: a /Perms entry without the transform allows what the default does.
        rules.forbidsSignatures = signature.certificationLevel == 1
        return rules
    }

    private mutating func lock(_ parameters: PDFDictionary) throws(PDFSyntaxError) -> ChangeReview.Lock {
        let names = try file.resolved(parameters["Fields"], in: 0).array ?? []
        var fields: Set<String> = []
        for name in names { if let text = name.string { fields.insert(PDFText.text(text.octets)) } }
        switch parameters["Action"].name {
        case "Include": return .only(fields)
        case "Exclude": return .allBut(fields)
        // `All`, and unknown words.
        default: return .allBut([])
        }
    }

    // MARK: The byte range

    /// Checks /ByteRange and /Contents and returns where the second range ends; nil when they are unusable.
    private mutating func readRange() -> Int? {
        guard dictionary["ByteRange"] != .null else {
            signature.isInvalid("no signature value: there is no /ByteRange")
            return nil
        }
        guard dictionary["Contents"] != .null else {
            signature.isInvalid("no signature value: there is no /Contents")
            return nil
        }
        guard let items = dictionary["ByteRange"].array, items.count == 4 else {
            signature.isInvalid("the /ByteRange is no array of four numbers in the signature itself")
            return nil
        }
        let numbers = items.compactMap(\.integer)
        guard numbers.count == 4, numbers.allSatisfy({ (0...file.document.count).contains($0) }) else {
            signature.isInvalid("the /ByteRange has numbers that do not fit the file")
            return nil
        }
        guard let contents = dictionary["Contents"].string else {
            signature.isInvalid("the /Contents is no string in the signature itself")
            return nil
        }
        guard !home.isCompressed else {
            signature.isInvalid("the signature is in an object stream, where no byte range can leave it out")
            return nil
        }
        switch PaddedContents.value(contents.token) {
        case .success(let value): signature.contents = value
        case .failure(let error):
            signature.isInvalid(error.reason)
            return nil
        }
        let (first, gapEnd, end) = (0..<numbers[1], numbers[2], numbers[2] + numbers[3])
        guard numbers[0] == 0 else {
            signature.isInvalid("the byte range does not begin at the file's first octet")
            return nil
        }
        guard end <= file.document.count else {
            signature.isInvalid("the byte range ends behind the end of the file")
            return nil
        }
        guard first.upperBound == contents.range.lowerBound, gapEnd == contents.range.upperBound else {
            signature.isInvalid(
                "the byte range leaves out other octets than the signature's value: the gap is from \(first.upperBound)"
                    + " to \(gapEnd), the value from \(contents.range.lowerBound) to \(contents.range.upperBound)")
            return nil
        }
        guard home.extent.upperBound <= end else {
            signature.isInvalid("the byte range ends within the signature's own dictionary")
            return nil
        }
        signature.covered = OctetRope([file.document.slice(first), file.document.slice(gapEnd..<end)])
        return end
    }

    /// Returns true if the revision that the byte range covers has this signature in this field.
    private mutating func belongs(to revision: Int) throws(PDFSyntaxError) -> Bool {
        let number = home.reference.number
        guard try file.entry(number, in: revision) == file.entry(number, in: 0) else {
            signature.isInvalid("the signature is not part of the revision that it covers")
            return false
        }
        let before = try SignatureFields.filled(in: file, revision: revision)
        guard before.contains(where: { $0.value == field.value && $0.name == field.name && $0.number == field.number })
        else {
            signature.isInvalid("the field of the signature is not part of the revision that it covers")
            return false
        }
        return true
    }
}
