import DSSXML
import Octets

/// A wrong answer given on purpose, so that clients can be tested (docs/dss-protocol.md, Extensions of `ses-dss`).
public struct InjectedFault: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// No body, the reason in header fields, as ADSS refuses.
        case empty
        /// HTTP 500 with a page.
        case html500
        /// A SOAP fault of the server.
        case soapfault
        /// Another request's id.
        case wrongid
        /// Success without a signature, or without a word on its validity.
        case nosignal
        /// "Come back later", without having been asked.
        case pending
        /// The answer octet by octet, too slowly.
        case drip
        /// The connection ends within the answer.
        case cut
        /// Success with a `ds:Signature` of the server itself in place of what was asked for.
        case straysig
        /// Other namespace prefixes: a good answer.
        case prefixes
    }

    public let kind: Kind
    /// The number of wrong answers in a hundred.
    public let percent: Int

    /// Reads `NAME` or `NAME=PERCENT`.
    /// - Returns: nil when the name is not known or the percentage is not from 0 to 100.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let kind = Kind(rawValue: String(name)) else { return nil }
        self.kind = kind
        guard parts.count == 2 else {
            percent = 100
            return
        }
        guard let percent = Int(parts[1]), (0...100).contains(percent) else { return nil }
        self.percent = percent
    }

    public var description: String { "\(kind.rawValue)=\(percent)" }

    /// Returns the fault of the next answer; nil for none.
    /// - Parameter draw: Gives a number from 0 to 99.
    static func next(of faults: [InjectedFault], draw: () -> Int) -> Kind? {
        faults.first { draw() < $0.percent }?.kind
    }
}

extension DSSServerAnswer {
    /// Makes the answer wrong in what it says; faults of the transport change nothing here.
    mutating func spoil(_ fault: InjectedFault.Kind) {
        switch fault {
        case .wrongid: requestID = (requestID ?? "") + "-of-another"
        case .nosignal: becomeBareSuccess()
        case .straysig:
            becomeBareSuccess()
            hasStraySignature = true
        case .pending:
            becomeBareSuccess()
            major = .pending
        case .prefixes: prefixes = Prefixes(core: "ns2", soap: "")
        case .empty, .html500, .soapfault, .drip, .cut: break
        }
    }

    private mutating func becomeBareSuccess() {
        major = .success
        minor = nil
        message = nil
        output = nil
        details = []
        signatures = []
        hasReport = false
    }
}
