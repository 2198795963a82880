import Testing

@testable import DSSProtocol

@Suite("A signer who is not the author, as the server reports it")
struct SignerWrongTests {
    static func judge(_ details: (SignalJudge.Detail, String?)..., minor: String = "IncorrectSignature") -> SignalJudge
    {
        var judge = SignalJudge(words: .standard)
        judge.record(major: .success, minor: ResultMinor(DSSWord.minorPrefix + "invalid:" + minor))
        for (detail, type) in details { judge.record(detail, type: type) }
        return judge
    }

    @Test("it is the only fault if no other detail says more")
    func only() {
        let judge = Self.judge((.valid, nil), (.invalid, DSSWord.signerIdentityDetail))
        #expect(judge.isOnlySignerWrong && judge.verdict == .notTrusted)
    }

    static let others: [(SignalJudge.Detail, String?)] = [
        (.invalid, DSSWord.detailPrefix + "Signature"), (.invalid, nil), (.invalid, "SignerIdentity"),
        (.indeterminate, DSSWord.detailPrefix + "RevocationStatus"),
        (.indeterminate, DSSWord.detailPrefix + "IssuerTrust"), (.indeterminate, nil),
    ]

    @Test("any other detail beside it is a fault too", arguments: others)
    func more(_ detail: SignalJudge.Detail, _ type: String?) {
        #expect(!Self.judge((.invalid, DSSWord.signerIdentityDetail), (detail, type)).isOnlySignerWrong)
        #expect(!Self.judge((detail, type)).isOnlySignerWrong)
    }

    @Test("words for the whole signature count")
    func words() {
        var judge = Self.judge((.invalid, DSSWord.signerIdentityDetail))
        judge.record(assertionStatus: "VALID")
        #expect(judge.isOnlySignerWrong)
        judge.record(assertionStatus: "INVALID")
        #expect(!judge.isOnlySignerWrong)
    }

    @Test("silence is not that fault")
    func nothing() {
        #expect(!SignalJudge(words: .standard).isOnlySignerWrong)
        #expect(!Self.judge().isOnlySignerWrong)
    }
}
