package import MailEnvelope

/// One message on its way in: from whom, to whom, and how its sender is told.
package struct LMTPTransaction: Hashable, Sendable {
    package struct Recipient: Hashable, Sendable {
        package let address: AddrSpec
        package let notify: NotificationRequest.Notify?
        package let original: OriginalRecipient?
    }

    package let sender: ReversePath
    /// Octets, as its sender counts them; nil if it was not said.
    package let size: Int?
    package let returned: NotificationRequest.Returned?
    package let identifier: EnvelopeIdentifier?
    /// The mail server's identifier of the message.
    package let queueID: String?
    /// In the order of their commands; the replies after the message have the same.
    package internal(set) var recipients: [Recipient] = []

    /// The envelopes under which the message is put into the spool, and for each recipient the index of its own.
    ///
    /// One, unless the sender wants to be told of other events for one recipient than for another: an entry of the
    /// spool has one request for all its recipients.
    package var envelopes: (all: [Envelope], ofRecipient: [Int]) {
        var requests: [NotificationRequest.Notify?] = []
        var indices: [Int] = []
        for recipient in recipients {
            if let index = requests.firstIndex(of: recipient.notify) {
                indices.append(index)
            } else {
                indices.append(requests.count)
                requests.append(recipient.notify)
            }
        }
        let envelopes = requests.indices.map { index in
            let members = zip(recipients, indices).filter { $0.1 == index }.map(\.0)
            return Envelope(
                sender: sender, recipients: members.map(\.address), source: .arguments,
                notification: NotificationRequest(
                    notify: requests[index], returned: returned, identifier: identifier,
                    originals: Dictionary(
                        members.compactMap { member in member.original.map { (member.address, $0) } },
                        uniquingKeysWith: { first, _ in first })))
        }
        return (envelopes, indices)
    }
}
