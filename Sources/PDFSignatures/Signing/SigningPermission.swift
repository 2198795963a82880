import PDFStructure

/// The permissions that the existing signatures give (ISO 32000-1 §12.8.2).
struct SigningPermission {
    /// The level of certification: 1 no change, 2 forms and signatures, 3 annotations too. Nil if there is none.
    private(set) var certificationLevel: Int?
    private var rules = ChangeReview.Rules()
    /// The field whose signature allows no further change, by a lock (ISO 32000-2 table 236, /P 1).
    private var sealing: String?

    init(_ source: SigningSource, _ form: FormReading) throws(PDFError) {
        if let permissions = try source.dictionary(source.catalog["Perms"]),
            let certification = try source.dictionary(permissions["DocMDP"])
        {
            certificationLevel = 2
            try visit(certification, of: nil, source)
        }
        for field in form.signatureFields {
            guard let signature = try source.dictionary(field.value) else { continue }
            try visit(signature, of: field.name, source)
            if let lock = try source.dictionary(field.dictionary["Lock"]), try source.resolved(lock["P"]).integer == 1 {
                sealing = field.name
            }
        }
    }

    /// - Parameter name: The field's; nil for a certification found by the catalog.
    private mutating func visit(
        _ signature: PDFDictionary, of name: String?, _ source: SigningSource
    ) throws(PDFError) {
        for item in try source.array(signature["Reference"], "/Reference of a signature") {
            guard let transform = try source.dictionary(item) else { continue }
            let parameters = try source.dictionary(transform["TransformParams"]) ?? PDFDictionary()
            switch transform["TransformMethod"].name {
            case "DocMDP":
                let level = try source.resolved(parameters["P"]).integer ?? 2
                certificationLevel = min(level, certificationLevel ?? level)
            case "FieldMDP": rules.locks.append(try FieldLock.read(parameters, source))
            default: break
            }
        }
    }

    /// - Throws: ``PDFError`` of kind `forbidden` when signing the field would break a signature that is there.
    func checkSigning(_ name: String, isNew: Bool, isVisible: Bool) throws(PDFError) {
        if let level = certificationLevel, !(2...3).contains(level) {
            throw PDFError(
                .forbidden, "the PDF is certified against any change (DocMDP level \(level)); it cannot be signed again"
            )
        }
        if let sealing {
            throw PDFError(
                .forbidden,
                "the signature in the field '\(sealing)' locks the PDF against any change; it cannot be signed again")
        }
        if rules.locks(name) {
            throw PDFError(.forbidden, "a signature of the PDF locks the field '\(name)'; it cannot be signed")
        }
        if certificationLevel != nil, isNew, isVisible {
            throw PDFError(
                .forbidden,
                "the PDF is certified: a new visible signature would change its pages. Sign it invisibly, or in a field that it has"
            )
        }
    }
}

/// The fields that a signature locks (§12.8.2.4, and table 233 for the field's own /Lock).
enum FieldLock {
    static func read(_ dictionary: PDFDictionary, _ source: SigningSource) throws(PDFError) -> ChangeReview.Lock {
        var names: Set<String> = []
        for item in try source.array(dictionary["Fields"], "/Fields of a field lock") {
            if let name = try source.resolved(item).string { names.insert(PDFText.text(name.octets)) }
        }
        return switch try source.resolved(dictionary["Action"]).name {
        case "Include": .only(names)
        case "Exclude": .allBut(names)
        default: .allBut([])
        }
    }

    /// Returns the /Reference of a signature in a field with the lock `lock`, which makes the field's request
    /// permanent.
    static func transforms(
        for lock: PDFDictionary, _ source: SigningSource
    ) throws(PDFError) -> [UInt8]? {
        var references: [[UInt8]] = []
        func add(_ method: String, _ parameters: [String: [UInt8]]) {
            var parameters = parameters
            parameters["Type"] = PDFSyntax.name("TransformParams")
            parameters["V"] = PDFSyntax.name("1.2")
            references.append(
                PDFSyntax.dictionary([
                    "Type": PDFSyntax.name("SigRef"), "TransformMethod": PDFSyntax.name(method),
                    "TransformParams": PDFSyntax.dictionary(parameters), "Data": Array(source.root.description.utf8),
                ]))
        }
        let action = try source.resolved(lock["Action"]).name ?? "All"
        guard ["All", "Include", "Exclude"].contains(action) else {
            throw PDFError(.constraint, "the signature field has a lock of an unknown kind, /\(action)")
        }
        var parameters = ["Action": PDFSyntax.name(action)]
        if action != "All" {
            let names = try source.array(lock["Fields"], "/Fields of a field lock")
            parameters["Fields"] = PDFSyntax.array(names.map(PDFSyntax.value))
        }
        add("FieldMDP", parameters)
        if let level = try source.resolved(lock["P"]).integer {
            guard (1...3).contains(level) else {
                throw PDFError(.constraint, "the signature field has a lock of an unknown level, \(level)")
            }
            add("DocMDP", ["P": Array("\(level)".utf8)])
        }
        return PDFSyntax.array(references)
    }
}
