//! The questions people have about use. Sums are answered from roll-ups, never by reading receipts.
//!
//! What was closed within the last quarter of a second is not in the answers yet.

use qm_store::{
    Cursor, Group, Ms, Order, ReceiptFilter, ReceiptPage, Step, StoreError, Usage, UsageFilter,
    UsageQuestion, UsageRow, usage::DAY_MS,
};

use crate::Books;

/// The longest span that is answered by the hour, if nobody asks for a step.
const BY_HOUR: Ms = 14 * DAY_MS;

/// Most periods in one answer: two years of days, or three weeks and more of hours.
const PERIODS: u64 = 732;

/// Most rows in one answer.
const ROWS: u32 = 100_000;

/// A span of time, in milliseconds since 1970: its beginning, and its end, which is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first millisecond.
    pub from_ms: Ms,
    /// The first one after it.
    pub to_ms: Ms,
}

/// Sums over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// How long a period is.
    pub step: Step,
    /// The periods that were answered for, whole ones: from the beginning of the first to the end of the last.
    pub span: Span,
    /// The oldest first, and within a period the largest first. Without a group there is a row for every period; with one, only for who
    /// used something.
    pub rows: Vec<UsageRow>,
}

impl Books {
    /// One page of receipts, those that ended last first.
    ///
    /// # Errors
    /// The store's.
    pub async fn receipts(
        &self,
        filter: &ReceiptFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ReceiptPage, StoreError> {
        self.inner.store.receipts().list(filter, after, limit).await
    }

    /// Sums of each hour or day (UTC) of a span; without a step, of hours for a fortnight at most, and else of days. A span of more than
    /// 732 periods is cut at its beginning.
    ///
    /// # Errors
    /// The store's.
    pub async fn series(
        &self,
        of: UsageFilter,
        span: Span,
        step: Option<Step>,
        group: Group,
    ) -> Result<Series, StoreError> {
        let step = step.unwrap_or_else(|| self.step(span));
        let span = span.whole(step);
        let mut question = question(of, span, step);
        (question.by_period, question.group) = (true, group);
        let mut rows = self.inner.store.receipts().usage(&question).await?;
        if group == Group::None {
            rows = filled(rows, span, step);
        }
        Ok(Series { step, span, rows })
    }

    /// Who used most in a span: the first `limit` of a group, by this order. The span is made to be of whole hours, or days, as in
    /// [`Books::series`].
    ///
    /// # Errors
    /// The store's.
    pub async fn top(
        &self,
        of: UsageFilter,
        span: Span,
        by: Group,
        order: Order,
        limit: u32,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let step = self.step(span);
        let question = UsageQuestion {
            group: by,
            order,
            limit: limit.min(ROWS),
            ..question(of, span.whole(step), step)
        };
        self.inner.store.receipts().usage(&question).await
    }

    /// The sum over a span, made whole likewise.
    ///
    /// # Errors
    /// The store's.
    pub async fn totals(&self, of: UsageFilter, span: Span) -> Result<Usage, StoreError> {
        let step = self.step(span);
        let rows = self.inner.store.receipts().usage(&question(of, span.whole(step), step)).await?;
        Ok(rows.first().map(|row| row.usage).unwrap_or_default())
    }

    /// The roll-up that answers for a span: days, if it is long or the hours of its beginning may be forgotten.
    fn step(&self, span: Span) -> Step {
        let kept = match self.inner.retention().hours_days {
            0 => 0,
            days => (self.inner.now)().saturating_sub(u64::from(days) * DAY_MS),
        };
        let short = span.to_ms.saturating_sub(span.from_ms) <= BY_HOUR;
        if short && span.from_ms >= kept { Step::Hour } else { Step::Day }
    }

    /// What each key took since the day (UTC) that begins then.
    ///
    /// # Errors
    /// The store's.
    pub async fn spent(&self, since_ms: Ms) -> Result<Vec<(String, Usage)>, StoreError> {
        self.inner.store.receipts().spent(since_ms).await
    }
}

fn question(of: UsageFilter, span: Span, step: Step) -> UsageQuestion {
    UsageQuestion {
        step,
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        of,
        by_period: false,
        group: Group::None,
        order: Order::default(),
        limit: ROWS,
    }
}

/// A row for every period, those without use as well.
fn filled(rows: Vec<UsageRow>, span: Span, step: Step) -> Vec<UsageRow> {
    let mut rows = rows.into_iter().peekable();
    let starts = (span.from_ms..span.to_ms).step_by(step.length_ms() as usize);
    let row = |start_ms| {
        let empty = UsageRow { start_ms, name: String::new(), usage: Usage::default() };
        rows.next_if(|row| row.start_ms == start_ms).unwrap_or(empty)
    };
    starts.map(row).collect()
}

impl Span {
    /// The days up to and with the one of this time.
    #[must_use]
    pub fn days_until(now_ms: Ms, days: u32) -> Self {
        let to_ms = Step::Day.start_of(now_ms) + DAY_MS;
        Self { from_ms: to_ms.saturating_sub(u64::from(days) * DAY_MS), to_ms }
    }

    /// From the beginning of its first period to the end of its last, so many at most.
    fn whole(self, step: Step) -> Self {
        let length = step.length_ms();
        let to_ms = self.to_ms.min(u64::MAX - length).div_ceil(length) * length;
        let most = PERIODS * length;
        Self { from_ms: step.start_of(self.from_ms).clamp(to_ms.saturating_sub(most), to_ms), to_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, PERIODS, Span};
    use qm_store::{Step, usage::HOUR_MS};

    #[test]
    fn a_span_is_made_whole() {
        let span = |from_ms, to_ms| Span { from_ms, to_ms };
        let cases = [
            (span(1, HOUR_MS + 1), Step::Hour, span(0, 2 * HOUR_MS)),
            (span(DAY_MS, 2 * DAY_MS), Step::Day, span(DAY_MS, 2 * DAY_MS)),
            (span(5, 1), Step::Day, span(0, DAY_MS)),
            (span(9 * DAY_MS, DAY_MS), Step::Day, span(DAY_MS, DAY_MS)),
            (span(0, 1000 * DAY_MS), Step::Day, span((1000 - PERIODS) * DAY_MS, 1000 * DAY_MS)),
        ];
        for (given, step, expected) in cases {
            assert_eq!(given.whole(step), expected, "{given:?}");
        }
        let endless = span(0, u64::MAX).whole(Step::Hour);
        assert_eq!((endless.to_ms - endless.from_ms) / HOUR_MS, PERIODS);
        assert_eq!(Span::days_until(10 * DAY_MS + 5, 7), span(4 * DAY_MS, 11 * DAY_MS));
        assert_eq!(Span::days_until(5, 7), span(0, DAY_MS));
    }
}
