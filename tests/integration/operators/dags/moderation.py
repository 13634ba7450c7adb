"""What a moderator and a librarian do: reject, flag and approve entries, move them between categories."""

from airflow.sdk import DAG

from kaltura_provider.operators.categories import KalturaCategorizeEntryOperator
from kaltura_provider.operators.moderation import KalturaModerateEntryOperator
from kaltura_provider.sensors.entry import KalturaModerationSensor

BAD, GOOD = "{{ params.bad }}", "{{ params.good }}"

with DAG("moderation", schedule=None, params={"bad": "", "good": "", "make": False}) as dag:
    rejected = KalturaModerateEntryOperator(task_id="rejected", entry_id=BAD, decision="reject")
    flagged = KalturaModerateEntryOperator(
        task_id="flagged", entry_id=GOOD, decision="flag", flag_type="spam_commercials", comments="Is it one of ours?"
    )
    approved = KalturaModerateEntryOperator(task_id="approved", entry_id=GOOD, decision="approve")
    decided = KalturaModerationSensor(task_id="decided", entry_id=GOOD)
    again = KalturaModerateEntryOperator(task_id="again", entry_id=GOOD, decision="flag", flag_type="4")

    new = KalturaCategorizeEntryOperator(
        task_id="new", entry_id=[BAD, GOOD], add=["New", "Courses>Physics"], create_missing="{{ params.make }}"
    )
    sorted_out = KalturaCategorizeEntryOperator(
        task_id="sorted_out", entry_id=[BAD, GOOD], remove=["New"], add=["Courses>Physics"]
    )
    removed = KalturaCategorizeEntryOperator(task_id="removed", entry_id=BAD, remove="Courses>Physics")

    flagged >> again >> approved >> decided
    new >> sorted_out >> removed
