import LMTP
import MailEnvelope
import Octets
import Spool

/// One message on its way into the spool: a file for each envelope.
///
/// After a fault the rest of the message is passed over, and every recipient of that file is told to come again.
final class Reception {
    /// A file on its way; it is removed when this goes away before its commit.
    private final class Writing {
        var delivery: MaildirDelivery?
        let envelopeOctets: Int
        var fault: SpoolError?

        init(_ delivery: consuming MaildirDelivery, envelopeOctets: Int) {
            self.delivery = consume delivery
            self.envelopeOctets = envelopeOctets
        }

        func write(_ octets: UnsafeRawBufferPointer) {
            do throws(SpoolError) {
                try delivery?.write(octets)
            } catch {
                fault = error
                delivery = nil
            }
        }

        func commit() -> Result<EntryID, SpoolError> {
            guard let delivery = delivery.take() else {
                return .failure(fault ?? SpoolError(.ended, path: "", "the delivery has ended"))
            }
            let entry = delivery.entry
            do throws(SpoolError) {
                _ = try delivery.commit(envelopeOctets: envelopeOctets)
                return .success(entry)
            } catch {
                return .failure(error)
            }
        }
    }

    /// The outcome for one recipient.
    typealias Outcome = Result<EntryID, SpoolError>

    private var writings: [Writing] = []
    private let ofRecipient: [Int]
    private(set) var octets = 0

    /// Makes the files and writes their envelope blocks.
    /// - Throws: ``SpoolError`` if one cannot be made.
    init(
        _ transaction: LMTPTransaction, into queue: MaildirDelivery.Destination, spool: String
    ) throws(SpoolError) {
        let (envelopes, indices) = transaction.envelopes
        ofRecipient = indices
        for envelope in envelopes {
            let delivery = try MaildirDelivery(spool: spool, queue: queue)
            let block = EnvelopeBlock(
                envelope: envelope, entry: "\(delivery.entry)", queueID: transaction.queueID
            ).rendered()
            try delivery.write(block)
            writings.append(Writing(delivery, envelopeOctets: block.count))
        }
    }

    func write(_ content: [UInt8]) {
        octets += content.count
        content.withUnsafeBytes { content in
            for writing in writings { writing.write(content) }
        }
    }

    /// Makes the message durable.
    /// - Returns: The outcome for each recipient, in order. A success is durable.
    func commit() -> [Outcome] {
        let outcomes = writings.map { $0.commit() }
        return ofRecipient.map { outcomes[$0] }
    }
}
