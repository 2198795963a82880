import DSSProtocol
import Testing

@Suite("Results and signals")
struct JudgementTests {
    @Test(
        "majors are known by their last part, whatever stands before",
        arguments: [
            ("urn:oasis:names:tc:dss:1.0:resultmajor:Success", ResultMajor.success), (" success\n", .success),
            ("http://x/y#RequesterError", .requesterError), ("http://x/ResponderError", .responderError),
            ("urn:x:InsufficientInformation", .insufficientInformation), ("urn:x:pending", .pending),
            ("urn:x:Successful", .unknown("urn:x:Successful")), ("", .unknown("")),
        ])
    func majors(uri: String, major: ResultMajor) { #expect(ResultMajor(uri) == major) }

    @Test(
        "minors have their known meaning, in each spelling",
        arguments: [
            ("valid:signature:OnAllDocuments", Verdict.trusted), ("valid:signature:HasManifestResults", .trusted),
            ("ValidMultiSignatures", .trusted), ("ValidSignature_OnAllDocuments", .trusted),
            ("invalid:IncorrectSignature", .notTrusted), ("valid:signature:InvalidSignatureTimestamp", .notTrusted),
            ("valid:signature:NotAllDocumentsReferenced", .indeterminate), ("CrlNotAvailiable", .indeterminate),
            ("CrlNotAvailable", .indeterminate), ("OcspNotAvailiable", .indeterminate),
            ("OcspNotAvailable", .indeterminate),
            ("CertificateChainNotComplete", .indeterminate), ("NotSupported", nil), ("NotOnAllDocuments", nil),
            ("", nil),
        ] as [(String, Verdict?)])
    func minors(word: String, signal: Verdict?) {
        #expect(ResultMinor("urn:oasis:names:tc:dss:1.0:resultminor:" + word).signal == signal)
    }

    @Test("the worst signal wins, in whichever order they come")
    func worst() {
        let signals: [(Verdict, (inout SignalJudge) -> Void)] = [
            (.trusted, { $0.record(major: .success, minor: .onAllDocuments) }),
            (.trusted, { $0.record(assertionStatus: "valid") }),
            (.trusted, { $0.record(reportMajor: .success, minor: .onAllDocuments) }),
            (.indeterminate, { $0.record(assertionStatus: "whatever") }),
            (.indeterminate, { $0.record(assertionStatus: nil) }),
            (.indeterminate, { $0.record(.indeterminate, type: nil) }),
            (.indeterminate, { $0.record(major: .insufficientInformation, minor: nil) }),
            (.indeterminate, { $0.record(reportMajor: .responderError, minor: nil) }),
            (.indeterminate, { $0.record(reportMajor: .unknown("urn:x:odd"), minor: nil) }),
            (.notTrusted, { $0.record(assertionStatus: "urn:x:NOT-TRUSTED") }),
            (.notTrusted, { $0.record(.invalid, type: nil) }),
            (.notTrusted, { $0.record(major: .success, minor: .incorrectSignature) }),
            (.notTrusted, { $0.record(reportMajor: .unknown("urn:x:invalid"), minor: nil) }),
        ]
        for (first, giveFirst) in signals {
            for (second, giveSecond) in signals {
                var judge = SignalJudge(words: .standard)
                giveFirst(&judge)
                giveSecond(&judge)
                #expect(judge.verdict == max(first, second))
            }
        }
    }

    @Test("no signal is never trust")
    func silence() {
        var judge = SignalJudge(words: .standard)
        #expect(judge.verdict == .indeterminate && !judge.isRevocationUnreachable)
        judge.record(major: .success, minor: ResultMinor("urn:x:SomethingNew"))
        judge.record(.valid, type: "urn:x:Signature")
        #expect(judge.verdict == .indeterminate)
    }

    @Test("a revocation service that cannot be asked is distinguished, unless something worse was said")
    func revocation() {
        var judge = SignalJudge(words: .standard)
        judge.record(major: .insufficientInformation, minor: .ocspNotAvailable)
        judge.record(.indeterminate, type: "urn:oasis:names:tc:dss:1.0:detail:RevocationStatus")
        #expect(judge.isRevocationUnreachable)
        var other = judge
        other.record(.indeterminate, type: "urn:oasis:names:tc:dss:1.0:detail:IssuerTrust")
        #expect(!other.isRevocationUnreachable)
        judge.record(.invalid, type: nil)
        #expect(!judge.isRevocationUnreachable)
    }

    @Test("refusals are worth another try when the server is in trouble", arguments: RefusalCase.all)
    func permanence(_ given: RefusalCase) { #expect(given.refusal.isTransient(in: given.dialect) == given.isTransient) }
}

struct RefusalCase: CustomTestStringConvertible, Sendable {
    let refusal: Refusal
    let isTransient: Bool
    var dialect = Dialect.adss
    var testDescription: String { "\(refusal.source) \(refusal.message)" }

    init(_ source: Refusal.Source, _ message: String, _ isTransient: Bool, code: Int? = nil) {
        refusal = Refusal(source, errorCode: code, message: message)
        self.isTransient = isTransient
    }

    static let all: [RefusalCase] = {
        var passing = RefusalCase(.result(.requesterError, nil), "License count is EXCEEDED just now", true)
        passing.dialect.transientMessages = ["license Count is exceeded", ""]
        return [
            passing,
            RefusalCase(.result(.requesterError, nil), "License count exceeded", false),
            RefusalCase(.result(.responderError, .generalError), "", true),
            RefusalCase(.result(.responderError, nil), "", true),
            RefusalCase(.result(.responderError, .keyLookupFailed), "", false),
            RefusalCase(.result(.requesterError, .notSupported), "", false),
            RefusalCase(.result(.requesterError, .unknownClient), "", true),
            RefusalCase(.result(.insufficientInformation, nil), "", false),
            RefusalCase(.result(.pending, nil), "", false),
            RefusalCase(.result(.unknown("x"), nil), "", false),
            RefusalCase(.result(.requesterError, nil), "[Error-41003] service is stopped", true),
            RefusalCase(.result(.requesterError, nil), "[Error-410031] another", false),
            RefusalCase(.headerFields, "stopped", true, code: 41_003),
            RefusalCase(.headerFields, "internal", true, code: 41_004),
            RefusalCase(.headerFields, "other", false, code: 42_034),
            RefusalCase(.serverFault, "", true),
            RefusalCase(.clientFault, "", false),
            RefusalCase(.status(413), "", false),
            RefusalCase(.reader, "[Error-41003] in a damaged answer", false),
        ]
    }()
}
